//! One list per kind of object, shared by all who look: finding, comparing, waiting. Knows which call lists what.

use super::{
    OpenStack,
    api::Service,
    mark::OURS,
    object::{
        Of, container, credential, floating_ip, image, key_pair, listener, load_balancer, member,
        monitor, network, policy, pool, port, record, recordset, router, s3_key, secret,
        security_group, server, server_group, subnet, volume, zone,
    },
};
use crate::engine::{Error, Kind, Moment, Reads, Result};
use crate::site::guest::Report;
use serde::de::DeserializeOwned;
use std::{collections::BTreeMap, sync::Arc, sync::Mutex, sync::PoisonError};

/// The newest microversion of Nova that we ask for: 2.71 tells a server's groups, 2.47 its flavor by name.
pub const COMPUTE: &str = "2.71";
/// Cinder's: attached volumes grow since 3.42.
pub const VOLUME: &str = "3.42";

macro_rules! lists {
    ($($name:ident: $item:ty = $service:ident $path:expr, $key:expr, $microversion:expr;)*) => {
        /// The lists of one cloud.
        #[derive(Default)]
        pub struct Lists {
            $($name: Reads<Vec<$item>>,)*
            pub members: ByParent<member::Listed>,
            pub recordsets: ByParent<recordset::Listed>,
            /// What each server's machine said last: one report, or none.
            pub reports: ByParent<Report>,
            containers: Reads<Vec<container::Listed>>,
        }

        impl OpenStack {
            $(pub async fn $name(&self, since: Moment) -> Result<Arc<Vec<$item>>> {
                self.lists.$name.get(since, || self.listed(Service::$service, ($path)(self), $key, $microversion)).await
            })*
        }
    };
}

lists! {
    networks: network::Listed = Network |_: &Self| "/networks".to_owned(), "networks", None;
    subnets: subnet::Listed = Network |_: &Self| "/subnets".to_owned(), "subnets", None;
    routers: router::Listed = Network |_: &Self| "/routers".to_owned(), "routers", None;
    ports: port::Listed = Network |cloud: &Self| format!("/ports?project_id={}", cloud.project_id), "ports", None;
    security_groups: security_group::Listed = Network |cloud: &Self| format!("/security-groups?project_id={}", cloud.project_id), "security_groups", None;
    floating_ips: floating_ip::Listed = Network |cloud: &Self| format!("/floatingips?project_id={}", cloud.project_id), "floatingips", None;
    servers: server::Listed = Compute |_: &Self| "/servers/detail".to_owned(), "servers", Some(COMPUTE);
    server_groups: server_group::Listed = Compute |_: &Self| "/os-server-groups".to_owned(), "server_groups", Some(COMPUTE);
    key_pairs: key_pair::Listed = Compute |_: &Self| "/os-keypairs".to_owned(), "keypairs", Some(COMPUTE);
    flavors: server::Flavor = Compute |_: &Self| "/flavors/detail".to_owned(), "flavors", Some(COMPUTE);
    volumes: volume::Listed = Volume |_: &Self| "/volumes/detail".to_owned(), "volumes", Some(VOLUME);
    volume_types: volume::Type = Volume |_: &Self| "/types".to_owned(), "volume_types", Some(VOLUME);
    images: image::Listed = Image |_: &Self| "/images?limit=200&status=active".to_owned(), "images", None;
    kept: record::Listed = Image |cloud: &Self| format!("/images?limit=200&owner={}&tag={OURS}", cloud.project_id), "images", None;
    balancers: load_balancer::Listed = Balancer |_: &Self| "/loadbalancers".to_owned(), "loadbalancers", None;
    listeners: listener::Listed = Balancer |_: &Self| "/listeners".to_owned(), "listeners", None;
    policies: policy::Listed = Balancer |_: &Self| "/l7policies".to_owned(), "l7policies", None;
    pools: pool::Listed = Balancer |_: &Self| "/pools".to_owned(), "pools", None;
    monitors: monitor::Listed = Balancer |_: &Self| "/healthmonitors".to_owned(), "healthmonitors", None;
    zones: zone::Listed = Dns |_: &Self| "/zones".to_owned(), "zones", None;
    secrets: secret::Listed = Keys |_: &Self| "/secrets?limit=500".to_owned(), "secrets", None;
    credentials: credential::Listed = Identity |cloud: &Self| format!("/users/{}/application_credentials", cloud.user_id), "application_credentials", None;
    s3_keys: s3_key::Listed = Identity |cloud: &Self| format!("/credentials?type=ec2&user_id={}", cloud.user_id), "credentials", None;
}

/// Lists that exist once per parent object.
pub struct ByParent<T>(Mutex<BTreeMap<String, Arc<Reads<Vec<T>>>>>);

impl<T> Default for ByParent<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> ByParent<T> {
    pub fn of(&self, parent: &str) -> Arc<Reads<Vec<T>>> {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.entry(parent.to_owned()).or_default().clone()
    }
}

impl OpenStack {
    pub async fn members(&self, pool: &str, since: Moment) -> Result<Arc<Vec<member::Listed>>> {
        let path = format!("/pools/{pool}/members");
        self.lists
            .members
            .of(pool)
            .get(since, || {
                self.listed(Service::Balancer, path, "members", None)
            })
            .await
    }
    pub async fn recordsets(
        &self,
        zone: &str,
        since: Moment,
    ) -> Result<Arc<Vec<recordset::Listed>>> {
        let path = format!("/zones/{zone}/recordsets");
        self.lists
            .recordsets
            .of(zone)
            .get(since, || {
                self.listed(Service::Dns, path, "recordsets", None)
            })
            .await
    }
    pub async fn containers(&self, since: Moment) -> Result<Arc<Vec<container::Listed>>> {
        self.lists
            .containers
            .get(since, || container::list(&self.api))
            .await
    }

    async fn listed<T: DeserializeOwned>(
        &self,
        service: Service,
        path: String,
        key: &str,
        microversion: Option<&'static str>,
    ) -> Result<Vec<T>> {
        match self.api.list(service, &path, key, microversion).await {
            // The parent is not there, so nothing is in it.
            Err(error) if error.kind == Kind::Gone => Ok(Vec::new()),
            answer => answer,
        }
    }
}

/// What can be found in a list by its id, or else by its mark.
pub trait Marked {
    fn id(&self) -> &str;
    fn mark(&self) -> &str;
}

/// The item with that id; if there is none, the one that bears the mark.
pub fn seek<'a, T: Marked>(
    list: &'a [T],
    known: Option<&Of>,
    mark: &super::mark::Mark,
) -> Option<&'a T> {
    let by_id = known.and_then(|known| list.iter().find(|item| item.id() == known.id));
    by_id.or_else(|| list.iter().find(|item| item.mark() == mark.as_str()))
}

/// As [`seek`], for what must not be mistaken: a disk with data, an address that the world knows. Who copied our mark to
/// something else by hand is asked which is which.
pub fn seek_only<'a, T: Marked>(
    list: &'a [T],
    known: Option<&Of>,
    mark: &super::mark::Mark,
) -> Result<Option<&'a T>> {
    let found = seek(list, known, mark);
    if found.is_some_and(|found| known.is_some_and(|known| known.id == found.id())) {
        return Ok(found);
    }
    let marked = list.iter().filter(|item| item.mark() == mark.as_str());
    let ids: Vec<&str> = marked.map(Marked::id).collect();
    if ids.len() < 2 {
        return Ok(found);
    }
    Err(mistakable(mark, &ids))
}

/// Several bear a mark, and which of them is ours cannot be told.
pub fn mistakable(mark: &super::mark::Mark, ids: &[&str]) -> Error {
    let why = format!("{} bear it", ids.join(" and "));
    Error::fatal(format!("find what bears the mark `{mark}`"), why)
        .remedy("nothing was changed: take the mark away from what is not ours, and apply again")
}
