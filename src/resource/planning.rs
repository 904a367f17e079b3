//! What a plan says: ids, choices, findings, quotas, what is taken, what is disrupted. Creates nothing.

use super::kept::Kept;
use super::setup::{Connected, Excess, Setup};
use super::values::{Asked, Unfit};
use super::{Declared, READY};
use crate::engine::{Error, Result};
use crate::plugin::{Diag, Diags, Plan, Value};
use crate::site::{
    Finding, Id, Record, Site, Sort, Thing,
    check::{check, shared},
};

/// The whole of a resource's plan, create and update.
pub async fn plan<M: Declared>(
    setup: &Setup,
    plan: &mut Plan<'_, M>,
) -> std::result::Result<(), Diags> {
    draft(setup, plan);
    let thing = match plan.planned.thing() {
        Ok(thing) => thing,
        Err(Unfit::Unknown) => return Ok(()),
        Err(Unfit::Bad(diag)) => return Err(diag.into()),
    };
    let Some(connected) = setup.connected() else {
        return Ok(());
    };
    let kept = Kept::read(&plan.private);
    let last = kept.last.as_ref().filter(|_| plan.prior.is_some());
    let record = match last {
        Some(_) => None,
        None => found(connected, &thing.id()).await?,
    };
    let made = last.map(as_record).or(record);
    let before = made.as_ref().map(|it| &it.thing);
    let mut thing = thing;
    M::chosen(&mut thing);
    let mut findings = M::evolve(&mut thing, before);
    let mut site = setup.planned(thing).await?;
    if plan.prior.is_none() {
        findings.extend(taken(setup, connected, &site, made.as_ref(), false));
    }
    let same = last.is_some_and(|last| !plan.replaces() && connected.platform.same(last, &site));
    if !same {
        findings.extend(check(&site, serving(before, &kept).as_ref()));
        if let Thing::BackupPolicy(policy) = &site.thing {
            findings.extend(shared(policy, &setup.all(&site.thing).await?));
        }
        let journal = kept.journal.clone()?;
        if connected.preflight && !findings.iter().any(|it| it.refuses) {
            let preflight = connected
                .platform
                .preflight(&mut site, made.as_ref(), &journal)
                .await?;
            findings.extend(preflight.findings);
            findings.extend(
                setup
                    .demand(&site.thing.id(), preflight.demands)
                    .into_iter()
                    .map(excess),
            );
            M::chosen(&mut site.thing);
            plan.planned.choose(&site.thing);
            plan.planned.forgo(plan.config, &site.thing);
        }
        if let Some(last) = last.filter(|_| !plan.replaces()) {
            findings.extend(connected.platform.disruptions(last, &site));
        }
    }
    if plan.prior.is_some() && (!same || plan.prior.is_some_and(incomplete)) {
        plan.touch();
    }
    if plan.replaces() && plan.prior.is_some_and(M::protected) {
        plan.warn(protected(&site.thing.id(), "replaced"));
    }
    if plan.changed() || plan.creates() {
        *plan.planned.status() = Value::Unknown;
        Kept::plan(&mut plan.private, &site);
    }
    setup.plan(Record {
        owner: site.owner,
        thing: site.thing,
        outputs: Default::default(),
    });
    findings.into_iter().for_each(|it| plan.warn(it.into()));
    Ok(())
}

/// What can be said without asking anybody.
fn draft<M: Declared>(setup: &Setup, plan: &mut Plan<'_, M>) {
    plan.planned.settle(plan.config, plan.prior);
    let id = id_of(&plan.planned).map(|it| it.to_string());
    *plan.planned.id() = id.map_or(Value::Unknown, Value::Known);
    if let (Some(platform), Some(connected)) = (plan.planned.platform(), setup.connected()) {
        *platform = Value::Known(connected.platform.name().to_owned());
    }
    for finding in M::offline(plan.config, &plan.planned) {
        plan.warn(finding.into());
    }
}

fn incomplete<M: Declared>(prior: &M) -> bool {
    prior.clone().status().chosen().as_deref() != Some(READY)
}

/// What an instance serves is the version that was finished last: one that was only tried can be taken back. Should its
/// data have been migrated all the same, the machines themselves refuse the lower one.
fn serving(before: Option<&Thing>, kept: &Kept) -> Option<Thing> {
    let mut thing = before.cloned();
    if let (Some(Thing::Instance(tried)), Some(Thing::Instance(served))) =
        (&mut thing, kept.served.as_ref().map(|it| &it.thing))
    {
        tried.version.clone_from(&served.version);
    }
    thing
}

/// A site as it was made last, in the form in which the cloud would tell of it.
fn as_record(last: &Site) -> Record {
    Record {
        owner: last.owner.clone(),
        thing: last.thing.clone(),
        outputs: Default::default(),
    }
}

async fn found(connected: &Connected, id: &Id) -> Result<Option<Record>> {
    Ok(connected
        .platform
        .records()
        .await?
        .into_iter()
        .find(|it| it.thing.id() == *id))
}

/// The id is made of names; unknown as long as one of them is.
pub fn id_of<M: Declared>(model: &M) -> Option<Id> {
    let names = model.names();
    let name = names.name.known()?;
    match names.environment_id {
        None => Id::parse(Sort::Environment, name).ok(),
        Some(environment) => Id::parse(M::SORT, &format!("{}/{name}", environment.known()?)).ok(),
    }
}

/// Whether the name belongs to somebody. `applying`: an id that stands in the state is being made a second time beside
/// the first (`create_before_destroy`), which a name cannot bear.
pub fn taken(
    setup: &Setup,
    connected: &Connected,
    site: &Site,
    record: Option<&Record>,
    applying: bool,
) -> Option<Finding> {
    let record = record?;
    let id = site.thing.id();
    if setup.stored(&id) {
        return applying.then(|| Finding {
            at: "name".into(),
            refuses: true,
            summary: format!("`{id}` exists already"),
            detail: "The name is still in use by the object that this one is to replace. Names are ids: remove \
                     `create_before_destroy`, or give the new one another name. Terraform has set the old one aside as deposed: \
                     run `terraform destroy` for it and apply again."
                .into(),
        });
    }
    let ours = !connected.owner.is_empty() && record.owner == connected.owner;
    if ours || connected.adopt.contains(id.environment.as_str()) {
        return None;
    }
    let owner = match record.owner.as_str() {
        "" => "nobody in particular".to_owned(),
        owner => format!("`{owner}`"),
    };
    let address = format!("invenioils_{}.<name>", id.sort.as_str());
    Some(Finding {
        at: "name".into(),
        refuses: true,
        summary: format!("`{id}` exists already"),
        detail: format!(
            "The {} `{id}` exists on this platform, finished, and belongs to {owner}. Use another `name`; or import it: \
             `terraform import {address} {id}`; or, if its state was lost, take the whole environment over once: \
             `adopt = [\"{}\"]` in the provider block, or INVENIOILS_ADOPT={}",
            id.sort.as_str().replace('_', " "),
            id.environment,
            id.environment
        ),
    })
}

fn excess(excess: Excess) -> Finding {
    let Excess { demand, needed } = excess;
    let free = demand.free.unwrap_or_default();
    let limit = demand
        .limit
        .map(|it| format!(" of {it}"))
        .unwrap_or_default();
    Finding {
        at: demand.at,
        refuses: true,
        summary: format!("The quota `{}` is too small for this plan", demand.quota),
        detail: format!(
            "The plan needs {needed} more of `{}`, and {free}{limit} are left. Raise the quota, or plan fewer or smaller machines.",
            demand.quota
        ),
    }
}

pub fn protected(id: &Id, done: &str) -> Diag {
    Diag::error(format!("`{id}` is protected and must not be {done}"))
        .detail(
            "`deletion_protection` is on. If this is meant, set `deletion_protection = false`, apply that, and try again. \
             Make a last backup before.",
        )
        .at("deletion_protection")
}

/// The site that was planned; made anew where the plan could not know it. With it, what is finished under its id.
pub async fn planned<M: Declared>(
    setup: &Setup,
    model: &M,
    kept: &Kept,
) -> Result<(Site, Option<Record>)> {
    let connected = setup.must()?;
    if let Some(planned) = &kept.planned {
        let record = found(connected, &planned.thing.id()).await?;
        return Ok((setup.standing(planned.thing.clone()).await?, record));
    }
    let mut thing = model.thing().map_err(|unfit| match unfit {
        Unfit::Unknown => Error::fatal("read the plan", "a value is still unknown"),
        Unfit::Bad(diag) => Error::fatal("read the plan", diag.detail),
    })?;
    let record = found(connected, &thing.id()).await?;
    let made = kept.last.as_ref().map(as_record).or(record.clone());
    let before = made.as_ref().map(|it| &it.thing);
    M::evolve(&mut thing, before);
    let mut site = setup.standing(thing).await?;
    let mut findings = check(&site, serving(before, kept).as_ref());
    let journal = kept.journal.clone()?;
    findings.extend(
        connected
            .platform
            .preflight(&mut site, made.as_ref(), &journal)
            .await?
            .findings,
    );
    M::chosen(&mut site.thing);
    match findings.into_iter().find(|it| it.refuses) {
        Some(it) => Err(Error::fatal(it.summary, it.detail).at(it.at)),
        None => Ok((site, record)),
    }
}
