//! Where a site can be brought up. A platform turns a [`Site`] into a graph of its own cloud's objects; this module
//! holds what all platforms have in common, and THE list of them. It never says "Terraform".

mod hosted;
mod offer;
#[cfg(feature = "openstack")]
pub mod openstack;
#[cfg(feature = "simulator")]
pub mod simulator;

pub use crate::site::Finding;
pub use hosted::Hosted;
pub use offer::{Common, Given, Offer, Setting, Shape};

/// THE list of platforms: one line each.
pub const OFFERS: &[Offer] = &[
    #[cfg(feature = "openstack")]
    openstack::OFFER,
    #[cfg(feature = "simulator")]
    simulator::OFFER,
];

use crate::engine::{Inspection, Journal, Outcome, Result, Run};
use crate::site::{Id, Outputs, Record, Site};
use async_trait::async_trait;

/// One cloud, signed in to. Object-safe; made of a [`Host`] by [`Hosted`].
#[async_trait]
pub trait Platform: Send + Sync {
    /// `openstack`, `simulator`, …
    fn name(&self) -> &'static str;

    /// Every record of this project, read once for the whole run unless something was changed since.
    async fn records(&self) -> Result<Vec<Record>>;

    /// Fills in what is chosen at creation and kept (flavor, image, external network, version), and checks online
    /// everything that could fail at apply. `before` is the thing as it was made last. Creates nothing.
    async fn preflight(
        &self,
        site: &mut Site,
        before: Option<&Record>,
        journal: &Journal,
    ) -> Result<Preflight>;

    /// Makes the thing what the site says. Create, resume, adopt and update are this one verb.
    async fn converge(&self, site: &Site, journal: &Journal, run: &Run) -> Outcome;
    /// Compares the thing with what exists; brings the journal's facts up to date; changes nothing.
    async fn inspect(&self, site: &Site, journal: &Journal, run: &Run) -> Result<Inspection>;
    /// Takes away what the journal and the site name.
    async fn remove(&self, site: &Site, journal: &Journal, run: &Run) -> Outcome;

    /// What the thing shows of itself, from what its steps left in the journal.
    fn outputs(&self, site: &Site, journal: &Journal) -> Outputs;
    /// Adds what only its machines and its buckets know. Who cannot be asked changes nothing, and nothing fails of it.
    async fn observe(&self, site: &Site, outputs: &mut Outputs);

    /// Whether both are made of the same objects, field by field: nothing to do between them.
    fn same(&self, one: &Site, other: &Site) -> bool;
    /// What users will notice when `before` becomes `after`: machines that are replaced.
    fn disruptions(&self, before: &Site, after: &Site) -> Vec<Finding>;
}

/// What a concrete platform implements.
#[async_trait]
pub trait Host: crate::engine::Cloud {
    const NAME: &'static str;
    async fn records(&self) -> Result<Vec<Record>>;
    async fn preflight(
        &self,
        site: &mut Site,
        before: Option<&Record>,
        journal: &Journal,
    ) -> Result<Preflight>;
    /// Pure: the same site gives the same graph, without a call.
    fn plan(&self, site: &Site) -> Result<crate::engine::Graph<Self>>;
    fn outputs(&self, site: &Site, journal: &Journal) -> Outputs;
    /// See [`Platform::observe`]. A cloud whose machines say nothing has nothing to add.
    async fn observe(&self, _site: &Site, _outputs: &mut Outputs) {}
    /// Everything that bears a mark of this thing, by step name, whether the plan knows it or not: asked for when the
    /// journal was lost, so that what an unfinished earlier make left behind is found and goes. In the order of their making.
    async fn strays(&self, site: &Site) -> Result<Vec<(String, crate::engine::Entry)>>;
}

/// What was found before anything is made.
#[derive(Debug, Clone, Default)]
pub struct Preflight {
    pub findings: Vec<Finding>,
    /// What the thing will take from quotas beyond what it has, to be summed over the whole plan.
    pub demands: Vec<Demand>,
}

/// So much of one quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// The cloud's word: `cores`, `ram_mib`, `instances`, `volumes`, `gigabytes`, `floating_ips`, `ports`, …
    pub quota: &'static str,
    pub amount: u64,
    /// What is left of it, as read at the start of the run; none: no limit.
    pub free: Option<u64>,
    pub limit: Option<u64>,
    /// The field to blame if it does not fit.
    pub at: String,
}

/// The ids that a site's thing and its surroundings go by.
pub fn around_ids(site: &Site) -> Vec<Id> {
    site.thing.needs()
}
