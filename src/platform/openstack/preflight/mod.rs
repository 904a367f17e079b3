//! What is checked online before anything is made, and what is chosen once and kept. Reads only, from shared lists.

mod environment;
mod image;
mod instance;
mod machine;
mod quota;
mod service;

use super::{OpenStack, api::Service, plan};
use crate::engine::{Journal, Result};
use crate::platform::Preflight;
use crate::site::{BackupPolicy, Finding, Record, Site, Thing};

/// One thing under examination.
pub struct Check<'a> {
    pub cloud: &'a OpenStack,
    /// The thing as it was made last.
    pub before: Option<&'a Thing>,
    pub findings: Vec<Finding>,
}

pub async fn preflight(
    cloud: &OpenStack,
    site: &mut Site,
    before: Option<&Record>,
    journal: &Journal,
) -> Result<Preflight> {
    let mut check = Check {
        cloud,
        before: before.map(|record| &record.thing),
        findings: Vec::new(),
    };
    let around = site.clone();
    match &mut site.thing {
        Thing::Environment(it) => check.environment(it).await?,
        Thing::Service(it) => check.service(it).await?,
        Thing::Certificate(_) => check.certificate(),
        Thing::Instance(it) => check.instance(it, &around).await?,
        Thing::BackupPolicy(it) => check.backup(it, &around),
    }
    let mut findings = check.findings;
    // A thing that is refused needs no room.
    let refused = findings.iter().any(|finding| finding.refuses);
    let demands = if refused {
        Vec::new()
    } else {
        quota::demands(cloud, site, journal, &mut findings).await?
    };
    Ok(Preflight { findings, demands })
}

impl Check<'_> {
    pub fn refuse(&mut self, at: &str, summary: impl Into<String>, detail: impl Into<String>) {
        self.findings.push(Finding::refuse(at, summary, detail));
    }
    pub fn warn(&mut self, at: &str, summary: impl Into<String>, detail: impl Into<String>) {
        self.findings.push(Finding::warn(at, summary, detail));
    }

    /// A service of the cloud that this needs and that is not there.
    pub fn lacks(&mut self, service: Service, at: &str, instead: &str) {
        let (project, kind) = (service.project(), service.types()[0]);
        self.refuse(
            at,
            format!("This cloud has no {project}"),
            format!("Its catalog has no `{kind}` endpoint in this region. {instead} If it has one elsewhere, set `endpoint_overrides`."),
        );
    }

    fn certificate(&mut self) {
        if !self.cloud.offers.keys {
            self.lacks(Service::Keys, "", "Octavia reads certificates from Barbican. Without it only plain HTTP works: leave out the certificate and set `insecure_http = true`.");
        }
    }

    fn backup(&mut self, policy: &BackupPolicy, site: &Site) {
        let around: Vec<&Record> = site.around.values().collect();
        // What is made in the same run is not known yet, and might.
        let known = policy
            .services
            .iter()
            .all(|id| site.around.contains_key(id));
        let nobody = known && plan::backup::carrier(policy, &around).is_none();
        if let Some((id, _)) = plan::backup::object_stores(policy, &around)
            .next()
            .filter(|_| nobody)
        {
            self.refuse(
                "service_ids",
                "Nobody would copy the files",
                format!("`{id}` is an object store, which has no machine of its own. The machines of another service copy its files: name the database, too. It should go with its files anyway, for each is worth little without the other."),
            );
        }
        let here = policy.target.endpoint.is_none();
        let own = here && policy.target.bucket.is_none();
        if own && !self.cloud.offers.objects {
            self.lacks(
                Service::Objects,
                "target",
                "Set `target` to a bucket elsewhere.",
            );
        } else if here && !self.cloud.offers.ec2 {
            self.refuse(
                "target",
                "This login may make no S3 keys",
                "Backups are written through Swift's S3 interface, and Keystone gives S3 keys only to logins by user and password, not to application credentials. Use such a login, or set `target` to a bucket elsewhere.",
            );
        }
        if policy.target.secret_key_wo_version.is_some() {
            self.refuse(
                "target.secret_key",
                "A key of your own cannot be handed to machines that stand",
                "Machines on OpenStack read only the secrets that they were made with. Leave `target` out: a container with keys of its own is made.",
            );
        }
    }
}
