//! Everything that bears a mark of a thing, known to a plan or not: what an unfinished earlier make left behind, when
//! its journal was lost.

use super::{
    OpenStack,
    lists::Marked,
    mark::Mark,
    object::{
        Of,
        credential::Credential,
        listener::Listener,
        pool::Pool,
        port,
        port::Port,
        secret::{Content, Store, Stored, in_glance},
        server,
        server::Server,
    },
    plan::RECORD,
};
use crate::engine::{Entry, Moment, Object, Result};
use crate::site::{Id, Site, Sort};
use serde_json::{Value, json};

impl OpenStack {
    /// Objects whose step's name depends on what they are made of (machines by generation, secrets by version), and so
    /// may not be in the plan of today. Whatever has a lasting name is found by the plan itself. In the order in which they
    /// are made: what comes later may use what comes before.
    pub(super) async fn strays_of(&self, site: &Site) -> Result<Vec<(String, Entry)>> {
        let id = site.thing.id();
        let since = self.since(false, Moment::START);
        let mut found = Vec::new();
        if id.sort != Sort::BackupPolicy {
            self.stray_secrets(&id, since, &mut found).await?;
        }
        if matches!(id.sort, Sort::Service | Sort::Instance) {
            if self.offers.credentials {
                for credential in self.credentials(since).await?.iter() {
                    note::<Credential>(
                        &mut found,
                        &id,
                        credential,
                        &Of {
                            id: credential.id.clone(),
                        },
                        json!({}),
                    );
                }
            }
            for port in self.ports(since).await?.iter() {
                note::<Port>(
                    &mut found,
                    &id,
                    port,
                    &port::Listed::placed(port),
                    json!({}),
                );
            }
            for server in self.servers(since).await?.iter() {
                let machine = server::Machine {
                    id: server.id.clone(),
                    zone: String::new(),
                    state: String::new(),
                };
                note::<Server>(
                    &mut found,
                    &id,
                    server,
                    &machine,
                    json!({ "name": server.name }),
                );
            }
        }
        if id.sort == Sort::Instance && self.offers.balancer {
            for pool in self.pools(since).await?.iter() {
                note::<Pool>(
                    &mut found,
                    &id,
                    pool,
                    &Of {
                        id: pool.id.clone(),
                    },
                    json!({}),
                );
            }
            for listener in self.listeners(since).await?.iter() {
                note::<Listener>(
                    &mut found,
                    &id,
                    listener,
                    &Of {
                        id: listener.id.clone(),
                    },
                    json!({}),
                );
            }
        }
        Ok(found)
    }

    async fn stray_secrets(
        &self,
        id: &Id,
        since: Moment,
        found: &mut Vec<(String, Entry)>,
    ) -> Result<()> {
        let spec = |store| json!({ "content": Content::Unknown, "store": store });
        if self.offers.keys {
            for secret in self.secrets(since).await?.iter() {
                note::<Stored>(
                    found,
                    id,
                    secret,
                    &secret.reference(),
                    spec(Store::Barbican),
                );
            }
            return Ok(());
        }
        // Beside the record, which the plan knows.
        let record = Mark::new(id, RECORD);
        for kept in self.kept(since).await?.iter() {
            if kept.mark != record.as_str() {
                note::<Stored>(found, id, kept, &in_glance(&kept.id), spec(Store::Glance));
            }
        }
        Ok(())
    }
}

/// Adds the item if it bears a mark of that thing.
fn note<T: Object<OpenStack>>(
    found: &mut Vec<(String, Entry)>,
    thing: &Id,
    item: &impl Marked,
    facts: &impl serde::Serialize,
    mut spec: Value,
) {
    let Some(step) = Mark::step_of(item.mark(), thing) else {
        return;
    };
    spec["mark"] = json!(item.mark());
    let facts = serde_json::to_value(facts).unwrap_or_default();
    found.push((
        step.to_owned(),
        Entry::asked(T::KIND, spec, None).with_facts(facts),
    ));
}
