//! What only machines and buckets know by now: how each machine is, what it runs, which backup is the newest.
//!
//! Machines write reports on their consoles, and backups lie in the policy's bucket. Both are asked at each refresh and
//! cost calls: one for each machine of an instance, and one for each service that a policy keeps. An instance's machines
//! see which machines of its services answer, so these are asked for their own word only where one does not, or an
//! instance that uses them is ill, or nobody uses them yet: a refresh of what is well stays cheap.

use super::{
    OpenStack,
    api::{Service, gone_is_fine},
    lists::COMPUTE,
    object::container::encoded,
};
use crate::engine::{Error, Kind, Result};
use crate::site::{
    Backup, BackupPolicy, Id, Latest, Lying, Node, Outputs, Record, Site, Thing, guest::Report,
    version,
};
use chrono::Utc;
use futures::future::join_all;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// A look at what is not needed waits no longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Lines of a console that are read. Its machine repeats its report every half hour.
const LINES: u32 = 200;
/// Swift's longest page.
const PAGE: usize = 10_000;

impl OpenStack {
    pub(super) async fn observed(&self, site: &Site, outputs: &mut Outputs) {
        match &site.thing {
            Thing::Instance(_) => self.hear(outputs).await,
            Thing::BackupPolicy(it) => {
                let latest = self.latest(it, site, outputs.bucket.as_deref());
                let heard = in_time(latest).await;
                outputs.latest_unheard = heard.is_err();
                outputs.latest = heard.ok().flatten();
            }
            Thing::Service(_) => self.hear_of(&site.thing.id(), outputs).await,
            Thing::Environment(_) | Thing::Certificate(_) => {}
        }
    }

    /// Lets an instance's machines say how they are and what they run.
    async fn hear(&self, outputs: &mut Outputs) {
        // What one that the cloud does not call ready said last is of no use.
        let ready = outputs.nodes.iter_mut().filter(|it| it.is_ready());
        let ready: Vec<&mut Node> = ready.collect();
        let reports = self.reports(ready.iter().map(|it| &**it)).await;
        let now = Utc::now();
        let mut running = Vec::new();
        for (node, report) in ready.into_iter().zip(reports) {
            let Some(report) = report else {
                continue;
            };
            node.state = report.state(now);
            outputs.ills.extend(ill(node, &report));
            running.extend(report.version);
        }
        // While an upgrade rolls, what the last of them still runs is what the site can be relied on for.
        let lowest = running
            .into_iter()
            .min_by(|one, other| version::compare(one, other));
        outputs.installed_version = lowest.or(outputs.installed_version.take());
    }

    /// How a service's machines are: as those who use them find them. Where these get no answer, or are ill themselves, of
    /// which the cause may lie behind them, by their own word.
    async fn hear_of(&self, service: &Id, outputs: &mut Outputs) {
        let users = self.users_of(service).await;
        let told = self.reports(&users).await;
        let now = Utc::now();
        let in_doubt = users.is_empty() || told.iter().flatten().any(|it| it.ails(now));
        for node in outputs.nodes.iter_mut().filter(|it| it.is_ready()) {
            let misses = |report: &Option<Report>| {
                let report = report.as_ref();
                report.is_some_and(|it| it.misses(&node.address, now))
            };
            let cut_off = users
                .iter()
                .zip(&told)
                .find_map(|(user, report)| misses(report).then_some(user));
            if cut_off.is_none() && !in_doubt {
                continue;
            }
            let report = self.report(node).await;
            if let Some(report) = &report {
                node.state = report.state(now);
                outputs.ills.extend(ill(node, report));
            }
            if let Some(user) = cut_off
                && node.is_ready()
            {
                node.state = format!("unhealthy: does not answer {}", user.name);
                outputs.ills.push(about(node));
            }
        }
    }

    /// The machines of the instances that use a service.
    async fn users_of(&self, service: &Id) -> Vec<Node> {
        let records = self.all_records().await.unwrap_or_default();
        let uses = |record: &Record| match &record.thing {
            Thing::Instance(it) => it.services.values().any(|it| it == service),
            _ => false,
        };
        let users = records.into_iter().filter(uses);
        users.flat_map(|it| it.outputs.nodes).collect()
    }

    /// What the machines of a service, as they are recorded by now, have to say.
    async fn reports_of(&self, service: &Id) -> Vec<Report> {
        let records = self.all_records().await.unwrap_or_default();
        let record = records.into_iter().find(|it| it.thing.id() == *service);
        let nodes = record.map(|it| it.outputs.nodes).unwrap_or_default();
        self.reports(&nodes).await.into_iter().flatten().collect()
    }

    async fn reports(&self, nodes: impl IntoIterator<Item = &Node>) -> Vec<Option<Report>> {
        join_all(nodes.into_iter().map(|node| self.report(node))).await
    }

    /// The newest report of a machine, asked for once in a refresh. None: it has said nothing yet, or the console cannot
    /// be had.
    async fn report(&self, node: &Node) -> Option<Report> {
        // What could not be had is not asked for again by the next who wants it.
        let newest = || async {
            let report = self.says(&node.platform_id).await.ok().flatten();
            Ok(report.into_iter().collect())
        };
        let reports = self.lists.reports.of(&node.platform_id);
        let report = reports.get(self.heard(), newest).await.ok()?;
        report.first().cloned()
    }

    /// What a machine says of itself just now.
    pub(super) async fn says(&self, server: &str) -> Result<Option<Report>> {
        in_time(self.console(server))
            .await
            .map(|it| Report::newest(&it))
    }

    async fn console(&self, server: &str) -> Result<String> {
        let call = self.api.post(
            Service::Compute,
            format!("/servers/{server}/action"),
            format!("read the console of server {server}"),
            json!({ "os-getConsoleOutput": { "length": LINES } }),
        );
        call.microversion(COMPUTE).asking().answer("output").await
    }

    /// The newest backup of a policy: from the bucket where our own login reads it, else as its machines told.
    async fn latest(
        &self,
        policy: &BackupPolicy,
        site: &Site,
        bucket: Option<&str>,
    ) -> Result<Option<Latest>> {
        let kept = policy.services.iter().filter_map(|id| {
            let Thing::Service(service) = &site.around.get(id)?.thing else {
                return None;
            };
            service.is_backed_up().then_some((id, &service.name))
        });
        let newest = kept.map(|(id, name)| async move {
            let backup = match (bucket, &policy.target.endpoint) {
                (Some(bucket), None) => {
                    Backup::newest(&self.folder(bucket, &policy.folder(name)).await?)
                }
                _ => self.told(id, policy).await,
            };
            Ok::<_, Error>((id.clone(), backup))
        });
        let newest: Result<Vec<_>> = join_all(newest).await.into_iter().collect();
        Ok(Latest::of(newest?))
    }

    /// What lies in a folder of a bucket, without what lies deeper: an archive of the database's log has thousands.
    async fn folder(&self, bucket: &str, folder: &str) -> Result<Vec<Lying>> {
        let mut all = Vec::new();
        let mut marker = String::new();
        loop {
            let call = self.api.get(
                Service::Objects,
                format!(
                    "/{}?format=json&delimiter=/&prefix={}{marker}",
                    encoded(bucket),
                    encoded(folder)
                ),
                format!("list the backups in container `{bucket}`"),
            );
            let page: Vec<Entry> = match call.whole().await {
                Ok(page) => page,
                Err(error) => return gone_is_fine(error).map(|()| all),
            };
            let (ended, last) = (page.len() < PAGE, page.last().map(Entry::called));
            marker = last
                .map(|it| format!("&marker={}", encoded(it)))
                .unwrap_or_default();
            all.extend(page.into_iter().filter_map(|it| it.lying(folder)));
            if ended {
                return Ok(all);
            }
        }
    }

    async fn told(&self, service: &Id, policy: &BackupPolicy) -> Option<Backup> {
        let reports = self.reports_of(service).await;
        let of_policy = |mut it: Report| it.backups.remove(policy.name.as_str());
        let backups = reports.into_iter().filter_map(of_policy);
        backups.max_by(|one, other| one.id.cmp(&other.id))
    }
}

fn ill(node: &Node, report: &Report) -> Option<String> {
    report.ails(Utc::now()).then(|| about(node))
}

fn about(node: &Node) -> String {
    let Node {
        name,
        address,
        state,
        ..
    } = node;
    format!("machine `{name}` ({address}): {state}")
}

/// What a refresh can do without is given up early.
async fn in_time<T>(look: impl Future<Output = Result<T>>) -> Result<T> {
    let doing = "ask what a refresh can do without";
    let late = |_| Error::new(Kind::Late, doing, "no answer came in time");
    tokio::time::timeout(PATIENCE, look).await.map_err(late)?
}

/// An object in a container, or the common beginning of several names.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    subdir: Option<String>,
    #[serde(default)]
    bytes: u64,
    /// UTC, without saying so: `2026-11-26T03:00:09.123456`.
    #[serde(default)]
    last_modified: String,
}

impl Entry {
    fn called(&self) -> &str {
        self.name
            .as_deref()
            .or(self.subdir.as_deref())
            .unwrap_or_default()
    }
    fn lying(self, folder: &str) -> Option<Lying> {
        let seconds = self.last_modified.get(..19)?;
        Some(Lying {
            name: self.name?.strip_prefix(folder)?.to_owned(),
            size_bytes: self.bytes,
            written_at: format!("{seconds}Z"),
        })
    }
}
