//! Balancers that were asked for twice: by a run that was killed, and by the next one that had looked in vain.

use super::{Balancer, Listed, SETTLES, pause, sorted, standing};
use crate::engine::{Cx, Moment, Result, Standing, waits_for};
use crate::platform::openstack::{
    OpenStack,
    api::Service,
    lists::{Marked, mistakable},
    mark::Mark,
};
use std::time::Instant;

/// How many others a killed run has asked for.
pub const FIELD: &str = "twins";

impl Listed {
    fn used(&self) -> bool {
        !self.listeners.is_empty() || !self.pools.is_empty()
    }
    /// Whether it was asked for with the same words as the other, and nothing hangs on it. Octavia may come to a request
    /// long after the run that made it was killed, when the next run has looked for a balancer in vain and asked again.
    pub(super) fn is_twin_of(&self, other: &Self) -> bool {
        self.id != other.id
            && !self.used()
            && self.mark() == other.mark()
            && self.name == other.name
            && self.vip_subnet_id == other.vip_subnet_id
            && sorted(&self.tags) == sorted(&other.tags)
            && !matches!(standing(&self.provisioning_status), Standing::Leaving)
    }
}

/// The balancer with that id; if there is none, the one that bears the mark: of twins the one in use, or else the oldest.
///
/// # Errors
/// Others that bear the mark are no twins of it: somebody else gave it to them.
pub fn seek<'a>(
    list: &'a [Listed],
    known: Option<&str>,
    mark: &Mark,
) -> Result<Option<&'a Listed>> {
    if let Some(found) = list.iter().find(|it| known == Some(it.id.as_str())) {
        return Ok(Some(found));
    }
    let marked = list.iter().filter(|it| it.mark() == mark.as_str());
    let marked: Vec<_> = marked
        .filter(|it| it.provisioning_status != "DELETED")
        .collect();
    let age = |it: &&&'a Listed| (!it.used(), it.created_at.clone(), it.id.clone());
    let Some(ours) = marked.iter().min_by_key(age).copied() else {
        return Ok(None);
    };
    let goes = |it: &Listed| matches!(standing(&it.provisioning_status), Standing::Leaving);
    let strange = marked
        .iter()
        .any(|it| it.id != ours.id && !it.is_twin_of(ours) && !goes(it));
    if strange {
        let ids: Vec<_> = marked.iter().map(|it| it.id.as_str()).collect();
        return Err(mistakable(mark, &ids));
    }
    Ok(Some(ours))
}

/// Removes the twins, and waits until they have gone. One that got a listener meanwhile is refused by Octavia, as nothing
/// is taken along.
pub async fn remove(cx: &Cx<'_, OpenStack>, ours: &Balancer) -> Result<()> {
    let list = cx.cloud.balancers(cx.since).await?;
    let Some(ours) = list.iter().find(|it| it.id == ours.id) else {
        return Ok(());
    };
    for twin in list.iter().filter(|it| it.is_twin_of(ours)) {
        let path = format!("/loadbalancers/{}", twin.id);
        let doing = format!("delete load balancer {}, which was made twice", twin.id);
        cx.cloud.api.delete(Service::Balancer, path, doing).await?;
        let began = Instant::now();
        while began.elapsed() < SETTLES {
            let now = cx.cloud.balancers(Moment::now()).await?;
            if !now.iter().any(|it| it.id == twin.id) {
                break;
            }
            let _waits = waits_for(format!("load balancer {} is being deleted", twin.id));
            tokio::time::sleep(pause(began.elapsed())).await;
        }
    }
    Ok(())
}
