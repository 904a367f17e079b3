//! The rules of one security group, as a whole: what it lets in, and nothing else. Rules go with their group.

use super::{Of, security_group::SecurityGroup};
use crate::engine::{Cx, Difference, Error, Kind, Object, Ref, Result, Seen, Standing};
use crate::platform::openstack::{OpenStack, api::Service};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    pub name: String,
    pub group: Option<Ref<SecurityGroup>>,
    pub ingress: Vec<Ingress>,
}

/// One TCP port, opened for one source.
#[derive(Clone, Serialize, Deserialize)]
pub struct Ingress {
    pub port: u16,
    pub purpose: String,
    pub from: From,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    Range(Ipv4Net),
    Group(Ref<SecurityGroup>),
    /// The balancer's machines. They are in the balancer's group where Octavia puts them there; where it is too old for that,
    /// they have addresses of the range that only Neutron gives away.
    Balancer {
        group: Ref<SecurityGroup>,
        otherwise: Range,
    },
}

/// A range that is known, or that of a subnet which stands already.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Range {
    Known(Ipv4Net),
    OfSubnet { subnet: String },
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    pub direction: String,
    #[serde(default)]
    pub ethertype: Option<String>,
    #[serde(default)]
    pub protocol: Option<String>,
    #[serde(default)]
    pub port_range_min: Option<i64>,
    #[serde(default)]
    pub port_range_max: Option<i64>,
    #[serde(default)]
    pub remote_ip_prefix: Option<String>,
    #[serde(default)]
    pub remote_group_id: Option<String>,
    #[serde(default)]
    pub remote_address_group_id: Option<String>,
}

/// A rule's source, resolved.
#[derive(Debug, Clone, PartialEq)]
enum Source {
    Range(String),
    Group(String),
}

impl Listed {
    fn is(&self, port: u16, source: &Source) -> bool {
        let port = Some(i64::from(port));
        // Neutron shows the whole world as no prefix at all, or as it was written.
        let prefix = self
            .remote_ip_prefix
            .clone()
            .unwrap_or_else(|| "0.0.0.0/0".to_owned());
        let same = match source {
            Source::Range(range) => {
                self.remote_group_id.is_none()
                    && self.remote_address_group_id.is_none()
                    && prefix == *range
            }
            Source::Group(group) => self.remote_group_id.as_ref() == Some(group),
        };
        self.protocol.as_deref() == Some("tcp")
            && self.ethertype.as_deref() == Some("IPv4")
            && (self.port_range_min, self.port_range_max) == (port, port)
            && same
    }
    fn shown(&self) -> String {
        let ports = match (self.port_range_min, self.port_range_max) {
            (Some(min), Some(max)) if min == max => min.to_string(),
            (Some(min), Some(max)) => format!("{min}-{max}"),
            _ => "all ports".to_owned(),
        };
        let source = self
            .remote_group_id
            .as_ref()
            .or(self.remote_ip_prefix.as_ref())
            .map_or("everywhere", String::as_str);
        format!(
            "{} {ports} from {source}",
            self.protocol.as_deref().unwrap_or("any protocol")
        )
    }
}

impl Rules {
    fn group(&self, cx: &Cx<'_, OpenStack>) -> Result<String> {
        match &self.group {
            Some(group) => Ok(cx.facts(group)?.id),
            None => Err(Error::new(
                Kind::Gone,
                "find security group rules",
                "their group is not known",
            )),
        }
    }

    /// Every source that this rule may rightly show, the one to make first.
    async fn sources(
        &self,
        cx: &Cx<'_, OpenStack>,
        from: &From,
        making: bool,
    ) -> Result<Vec<Source>> {
        Ok(match from {
            From::Range(range) => vec![Source::Range(range.to_string())],
            From::Group(group) => vec![Source::Group(cx.facts(group)?.id)],
            From::Balancer { group, otherwise } => {
                let range = match otherwise {
                    Range::Known(range) => range.to_string(),
                    Range::OfSubnet { subnet } => cx.cloud.range_of(subnet, cx.since).await?,
                };
                let mut both = vec![Source::Group(cx.facts(group)?.id), Source::Range(range)];
                if making && !cx.cloud.own_vip_groups().await? {
                    both.reverse();
                }
                both
            }
        })
    }

    /// What is missing of the plan, and what is there beyond it.
    async fn compare<'a>(
        &'a self,
        cx: &Cx<'_, OpenStack>,
        found: &'a [Listed],
    ) -> Result<(Vec<&'a Ingress>, Vec<&'a Listed>)> {
        let mut extra: Vec<_> = found
            .iter()
            .filter(|rule| rule.direction == "ingress")
            .collect();
        let mut missing = Vec::new();
        for wanted in &self.ingress {
            let sources = self.sources(cx, &wanted.from, false).await?;
            match extra
                .iter()
                .position(|rule| sources.iter().any(|source| rule.is(wanted.port, source)))
            {
                Some(at) => drop(extra.swap_remove(at)),
                None => missing.push(wanted),
            }
        }
        Ok((missing, extra))
    }

    async fn add(&self, cx: &Cx<'_, OpenStack>, group: &str, rules: &[&Ingress]) -> Result<()> {
        let mut bodies = Vec::new();
        for rule in rules {
            let source = self.sources(cx, &rule.from, true).await?.swap_remove(0);
            let (prefix, remote_group) = match source {
                Source::Range(range) => (json!(range), Value::Null),
                Source::Group(group) => (Value::Null, json!(group)),
            };
            bodies.push(json!({
                "security_group_id": group, "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp",
                "port_range_min": rule.port, "port_range_max": rule.port, "description": rule.purpose,
                "remote_ip_prefix": prefix, "remote_group_id": remote_group,
            }));
        }
        if bodies.is_empty() {
            return Ok(());
        }
        let body = json!({ "security_group_rules": bodies });
        cx.cloud
            .api
            .post(
                Service::Network,
                "/security-group-rules",
                format!("create rules of security group `{}`", self.name),
                body,
            )
            .send()
            .await
            .map(drop)
    }
}

impl Object<OpenStack> for Rules {
    const KIND: &'static str = "security_group_rules";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let id = self.group(cx)?;
        let list = cx
            .cloud
            .security_groups(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let Some(group) = list.iter().find(|group| group.id == id) else {
            return Ok(None);
        };
        let (missing, extra) = self.compare(cx, &group.security_group_rules).await?;
        let lacks = |rule: &&Ingress| {
            Difference::update(
                "rule",
                format!("tcp {} ({})", rule.port, rule.purpose),
                "none",
            )
        };
        let too_much = |rule: &&Listed| Difference::update("rule", "none", rule.shown());
        let differences = missing
            .iter()
            .map(lacks)
            .chain(extra.iter().map(too_much))
            .collect();
        Ok(Some(Seen {
            facts: Of { id },
            standing: Standing::Ready,
            differences,
        }))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let id = self.group(cx)?;
        let all: Vec<_> = self.ingress.iter().collect();
        self.add(cx, &id, &all).await?;
        Ok(Of { id })
    }
    async fn update(&self, cx: &Cx<'_, OpenStack>, facts: &Of, _: &[Difference]) -> Result<()> {
        let list = cx.cloud.security_groups(cx.since).await?;
        let Some(group) = list.iter().find(|group| group.id == facts.id) else {
            return Ok(());
        };
        let (missing, extra) = self.compare(cx, &group.security_group_rules).await?;
        for rule in extra {
            let doing = format!("delete a rule of security group `{}`", self.name);
            cx.cloud
                .api
                .delete(
                    Service::Network,
                    format!("/security-group-rules/{}", rule.id),
                    doing,
                )
                .await?;
        }
        self.add(cx, &facts.id, &missing).await
    }
    async fn delete(&self, _: &Cx<'_, OpenStack>, _: &Of) -> Result<()> {
        Ok(())
    }
    fn instant(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: Value) -> Listed {
        let mut whole = json!({ "id": "r", "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", "port_range_min": 80, "port_range_max": 80 });
        whole
            .as_object_mut()
            .unwrap()
            .extend(json.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn only_the_very_rule_counts() {
        let world = Source::Range("0.0.0.0/0".into());
        assert!(rule(json!({ "remote_ip_prefix": "0.0.0.0/0" })).is(80, &world));
        assert!(rule(json!({})).is(80, &world));
        assert!(!rule(json!({ "remote_group_id": "g" })).is(80, &world));
        assert!(rule(json!({ "remote_group_id": "g" })).is(80, &Source::Group("g".into())));
        assert!(!rule(json!({ "port_range_max": 90 })).is(80, &world));
        assert!(!rule(json!({ "protocol": null })).is(80, &world));
        assert!(!rule(json!({ "ethertype": "IPv6" })).is(80, &world));
    }
}
