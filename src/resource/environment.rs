//! `invenioils_environment`: where everything of a site lives.

use super::parts::{cidrs_attr, id_attr, name_attr, status_attr, tags};
use super::values::{
    Asked, Fit, StringMap, Strings, from_map, from_strings, parsed, string_map, strings,
    unless_default,
};
use super::{Declared, Names, Timeouts};
use crate::engine::{Secret, Secrets};
use crate::plugin::{Attr, Schema, Type, Value, boolean, int, list, object, text, timeouts};
use crate::site::{
    Access, Alerts, Dns, Environment, EnvironmentBalancer, ExistingNetwork, Image, Network,
    Outputs, Packages, Sort, Thing,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Model {
    pub name: Value<String>,
    pub network: Value<NetworkModel>,
    pub load_balancer: Value<BalancerModel>,
    pub access: Value<AccessModel>,
    pub dns: Value<DnsModel>,
    pub image: Value<ImageModel>,
    pub packages: Value<PackagesModel>,
    pub alerts: Value<AlertsModel>,
    pub tags: StringMap,
    pub timeouts: Value<Timeouts>,
    pub id: Value<String>,
    pub platform: Value<String>,
    pub status: Value<String>,
    pub network_id: Value<String>,
    pub subnet_id: Value<String>,
    pub public_address: Value<String>,
    pub secret_store: Value<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct NetworkModel {
    pub cidr: Value<String>,
    pub external_network: Value<String>,
    pub dns_nameservers: Strings,
    pub existing: Value<ExistingModel>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct ExistingModel {
    pub network_id: Value<String>,
    pub subnet_id: Value<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct BalancerModel {
    pub provider: Value<String>,
    pub flavor: Value<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct AccessModel {
    pub allowed_cidrs: Strings,
    pub ssh_cidrs: Strings,
    pub ssh_public_key: Value<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct DnsModel {
    pub zone: Value<String>,
    pub manage_zone: Value<bool>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct ImageModel {
    pub name: Value<String>,
    pub id: Value<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct PackagesModel {
    pub index_url: Value<String>,
    pub apt_mirror: Value<String>,
    pub opensearch_url: Value<String>,
    pub ca_pem: Value<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct AlertsModel {
    pub webhook_url_wo: Value<String>,
    pub webhook_url_wo_version: Value<i64>,
    pub grafana_oncall_url_wo: Value<String>,
    pub grafana_oncall_url_wo_version: Value<i64>,
    pub email: Value<String>,
}

impl Declared for Model {
    const NAME: &'static str = "invenioils_environment";
    const SORT: Sort = Sort::Environment;

    fn schema() -> Schema {
        Schema::new(0, "Where everything of a site lives: network, firewall, and the load balancer with its public address.")
            .attr("name", name_attr("The environment's name; also its id. One project holds at most one environment of a name.").required())
            .attr("network", network())
            .attr("load_balancer", object([
                ("provider", text().optional().doc("Load balancer provider, in the cloud's word (`amphora`, `ovn`). Default: the cloud's own.")),
                ("flavor", text().optional().doc("Load balancer flavor, name or id. Default: the cloud's own.")),
            ]).optional().doc("The front door stands with the environment, so that the public address outlives every instance."))
            .attr("access", object([
                ("allowed_cidrs", cidrs_attr("Who reaches the site. Default: everyone.")),
                ("ssh_cidrs", cidrs_attr("Who may log in to the machines. Default: nobody.")),
                ("ssh_public_key", text().optional().doc("The key that may log in, in OpenSSH's format.")),
            ]).optional().doc("Who reaches what."))
            .attr("dns", object([
                ("zone", text().optional().check_text(super::parts::zone).doc("The DNS zone of the site's host names, with its final dot: `example.org.`")),
                ("manage_zone", boolean().default(false).doc("Make the zone and remove it with the environment. Otherwise it must exist.")),
            ]).optional().doc("Names in the platform's DNS service."))
            .attr("image", object([
                ("name", text().optional().keep().doc("Name of the image that machines boot from.")),
                ("id", text().optional().keep().doc("Id of the image that machines boot from.")),
            ]).optional().keep().doc("What machines boot from. Default: the newest Debian 12 image that the cloud offers, chosen at creation and kept."))
            .attr("packages", object([
                ("index_url", text().optional().doc("Python package index to install from.")),
                ("apt_mirror", text().optional().doc("Debian mirror to install from.")),
                ("opensearch_url", text().optional().doc("Where OpenSearch is installed from: an archive (`.tar.gz`), or a mirror that lays its releases out as the project does (`<url>/<version>/opensearch-min-<version>-linux-x64.tar.gz`). `#sha256=<sum>` at its end pins the archive. Default: the project's own releases, of which only what its key signed is installed.")),
                ("ca_pem", text().optional().doc("Certificate authority of these mirrors, PEM.")),
            ]).optional().doc("Where machines install from, for sites without internet access."))
            .attr("alerts", object([
                ("webhook_url_wo", text().optional().write_only().doc("Web hook that is called with a JSON message.")),
                ("webhook_url_wo_version", int().optional().doc("Change it to send a new `webhook_url_wo`.")),
                ("grafana_oncall_url_wo", text().optional().write_only().doc("Integration URL of Grafana OnCall.")),
                ("grafana_oncall_url_wo_version", int().optional().doc("Change it to send a new `grafana_oncall_url_wo`.")),
                ("email", text().optional().doc("Mail address that hears of it. Each machine mails to where that domain's mail is taken in (its MX, port 25); where the network does not let that out, give a web hook.")),
            ]).optional().doc("Who hears of backups that fail, of a certificate that ends in two weeks and again in three days, and of machines that stay ill for ten minutes and are well again."))
            .attr("tags", tags())
            .attr("timeouts", timeouts(TIMEOUTS))
            .attr("id", id_attr("The environment's id: its name."))
            .attr("platform", text().keep().doc("The platform it stands on."))
            .attr("status", status_attr())
            .attr("network_id", text().keep().doc("Id of the network."))
            .attr("subnet_id", text().keep().doc("Id of the subnet."))
            .attr("public_address", text().keep().doc("The site's public address."))
            .attr("secret_store", text().keep().doc("Where passwords and keys are kept: `barbican`, `user_data`, …"))
    }

    /// Another image by name is another image by id.
    fn settle(&mut self, config: &Self, prior: Option<&Self>) {
        let name = |model: &Self| model.image.known().and_then(|it| it.name.chosen());
        let (Some(wanted), Value::Known(image)) = (name(config), &mut self.image) else {
            return;
        };
        let given = config.image.known().is_some_and(|it| !it.id.is_null());
        if !given && prior.and_then(name) != Some(wanted) {
            image.id = Value::Unknown;
        }
    }

    fn thing(&self) -> Fit<Thing> {
        let network = self.network.must("network")?;
        let access = self.access.given()?.unwrap_or_default();
        let dns = self.dns.given()?.unwrap_or_default();
        let balancer = self.load_balancer.given()?.unwrap_or_default();
        let image = self.image.chosen().unwrap_or_default();
        let packages = self.packages.given()?.unwrap_or_default();
        let alerts = self.alerts.given()?.unwrap_or_default();
        let cidrs = |list: &Strings, name: &str| -> Fit<Vec<ipnet::Ipv4Net>> {
            strings(list)?.iter().map(|it| parsed(it, name)).collect()
        };
        let existing = network.existing.given()?.map(|it| {
            Ok::<_, super::values::Unfit>(ExistingNetwork {
                network_id: it.network_id.must("network.existing.network_id")?,
                subnet_id: it.subnet_id.must("network.existing.subnet_id")?,
            })
        });
        Ok(Thing::Environment(Environment {
            name: parsed(&self.name.must("name")?, "name")?,
            network: Network {
                cidr: parsed(&network.cidr.must("network.cidr")?, "network.cidr")?,
                external_network: network.external_network.chosen(),
                dns_nameservers: strings(&network.dns_nameservers)?,
                existing: existing.transpose()?,
            },
            load_balancer: EnvironmentBalancer {
                provider: balancer.provider.given()?,
                flavor: balancer.flavor.given()?,
            },
            access: Access {
                allowed_cidrs: cidrs(&access.allowed_cidrs, "access.allowed_cidrs")?,
                ssh_cidrs: cidrs(&access.ssh_cidrs, "access.ssh_cidrs")?,
                ssh_public_key: access.ssh_public_key.given()?,
            },
            dns: Dns {
                zone: dns.zone.given()?,
                manage_zone: dns.manage_zone.given()?.unwrap_or(false),
            },
            image: Image {
                name: image.name.chosen(),
                id: image.id.chosen(),
            },
            packages: Packages {
                index_url: packages.index_url.given()?,
                apt_mirror: packages.apt_mirror.given()?,
                opensearch_url: packages.opensearch_url.given()?,
                ca_pem: packages.ca_pem.given()?,
            },
            alerts: Alerts {
                webhook_url_wo_version: alerts.webhook_url_wo_version.given()?,
                grafana_oncall_url_wo_version: alerts.grafana_oncall_url_wo_version.given()?,
                email: alerts.email.given()?,
            },
            tags: string_map(&self.tags)?,
        }))
    }

    fn show(&mut self, thing: &Thing) {
        let Thing::Environment(it) = thing else {
            return;
        };
        self.name = Value::Known(it.name.to_string());
        self.network = Value::Known(NetworkModel {
            cidr: Value::Known(it.network.cidr.to_string()),
            external_network: it.network.external_network.clone().into(),
            dns_nameservers: from_strings(&it.network.dns_nameservers),
            existing: it.network.existing.as_ref().map(ExistingModel::from).into(),
        });
        self.load_balancer = unless_default(&it.load_balancer, |it| BalancerModel {
            provider: it.provider.clone().into(),
            flavor: it.flavor.clone().into(),
        });
        self.access = unless_default(&it.access, |it| AccessModel {
            allowed_cidrs: from_strings(&it.allowed_cidrs),
            ssh_cidrs: from_strings(&it.ssh_cidrs),
            ssh_public_key: it.ssh_public_key.clone().into(),
        });
        self.dns = unless_default(&it.dns, |it| DnsModel {
            zone: it.zone.clone().into(),
            manage_zone: Value::Known(it.manage_zone),
        });
        self.packages = unless_default(&it.packages, |it| PackagesModel {
            index_url: it.index_url.clone().into(),
            apt_mirror: it.apt_mirror.clone().into(),
            opensearch_url: it.opensearch_url.clone().into(),
            ca_pem: it.ca_pem.clone().into(),
        });
        self.alerts = unless_default(&it.alerts, |it| AlertsModel {
            webhook_url_wo: Value::Null,
            webhook_url_wo_version: it.webhook_url_wo_version.into(),
            grafana_oncall_url_wo: Value::Null,
            grafana_oncall_url_wo_version: it.grafana_oncall_url_wo_version.into(),
            email: it.email.clone().into(),
        });
        self.tags = from_map(&it.tags);
        self.choose(thing);
    }

    fn choose(&mut self, thing: &Thing) {
        let Thing::Environment(it) = thing else {
            return;
        };
        if let Value::Known(network) = &mut self.network {
            network.external_network = it.network.external_network.clone().into();
        }
        self.image = Value::Known(ImageModel {
            name: it.image.name.clone().into(),
            id: it.image.id.clone().into(),
        });
    }

    fn compute(&mut self, _thing: &Thing, outputs: &Outputs) {
        self.network_id = outputs.network_id.clone().into();
        self.subnet_id = outputs.subnet_id.clone().into();
        self.public_address = outputs.public_address.clone().into();
        self.secret_store = outputs.secret_store.clone().into();
    }

    fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        if let Some(alerts) = self.alerts.known() {
            if let Some(url) = alerts.webhook_url_wo.known() {
                secrets.put("alerts.webhook_url", Secret::new(url));
            }
            if let Some(url) = alerts.grafana_oncall_url_wo.known() {
                secrets.put("alerts.grafana_oncall_url", Secret::new(url));
            }
        }
        secrets
    }

    fn names(&self) -> Names<'_> {
        Names {
            environment_id: None,
            name: &self.name,
        }
    }
    fn id(&mut self) -> &mut Value<String> {
        &mut self.id
    }
    fn status(&mut self) -> &mut Value<String> {
        &mut self.status
    }
    fn platform(&mut self) -> Option<&mut Value<String>> {
        Some(&mut self.platform)
    }
}

fn network() -> Attr {
    object([
        ("cidr", text().default("10.20.0.0/24").replace().check_text(super::parts::cidr).doc("Addresses of the subnet.")),
        ("external_network", text().optional().keep().doc("Network of the public addresses, name or id. Default: the only one that the cloud has.")),
        ("dns_nameservers", list(Type::String).optional().doc("Name servers of the machines. Default: the cloud's own.")),
        ("existing", object([
            ("network_id", text().required().replace().doc("Id of the network to live in.")),
            ("subnet_id", text().required().replace().doc("Id of its subnet.")),
        ]).optional().replace().doc("Live in a network that exists, instead of making one.")),
    ])
    .optional()
    .computed()
    .doc("The network. Default: one of its own, behind a router of its own.")
}

const TIMEOUTS: &[(&str, &str)] = &[
    ("create", "30m"),
    ("read", "5m"),
    ("update", "30m"),
    ("delete", "20m"),
];

impl From<&ExistingNetwork> for ExistingModel {
    fn from(it: &ExistingNetwork) -> Self {
        Self {
            network_id: Value::Known(it.network_id.clone()),
            subnet_id: Value::Known(it.subnet_id.clone()),
        }
    }
}
