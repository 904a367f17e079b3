//! The verbs of every resource, written once: make, read, update, remove, import.
//!
//! What is known of a thing goes back to Terraform whatever happens: the journal of its objects travels in private state
//! and is written even when the verb fails or panics.

use super::kept::{FINISHED, JOURNAL, Kept, LAST, PLANNED, SERVED, WHOLE, keep};
use super::planning::{self, id_of, protected, taken};
use super::report::{drifted, ill, missing_neighbours, said, tell_left};
use super::setup::{Connected, Setup};
use super::{Declared, INCOMPLETE, READY};
use crate::engine::{Journal, Kind, Run};
use crate::plugin::{
    Call, Diag, Diags, Found, IdentitySchema, ImportKey, Listing, Plan, Private, Query, Resource,
    Saved, Schema, Type, Value, text,
};
use crate::site::{Id, Record, Site};
use serde::{Deserialize, Serialize};
use std::{marker::PhantomData, sync::Arc};

/// A resource, from its model.
pub struct Lifecycle<M> {
    setup: Arc<Setup>,
    of: PhantomData<fn() -> M>,
}

impl<M> Lifecycle<M> {
    pub fn new(setup: &Arc<Setup>) -> Self {
        Self {
            setup: setup.clone(),
            of: PhantomData,
        }
    }
}

/// Writes the journal into what goes back to Terraform when it goes out of scope, so that a panic loses nothing.
struct Keeper<'a, M> {
    saved: &'a mut Saved<M>,
    journal: Journal,
}

impl<M> Drop for Keeper<'_, M> {
    fn drop(&mut self) {
        self.saved.private().set(JOURNAL, self.journal.to_bytes());
    }
}

impl<M: Declared> Resource for Lifecycle<M> {
    type Model = M;

    fn name(&self) -> &'static str {
        M::NAME
    }

    fn schema(&self) -> Schema {
        M::schema()
    }

    fn identity(&self) -> Option<IdentitySchema> {
        Some(IdentitySchema::new(0).required(
            "id",
            Type::String,
            "The id, as for `terraform import`.",
        ))
    }

    fn met(&self, state: &M) {
        if let Some(id) = id_of(state) {
            self.setup.store(id);
        }
    }

    async fn plan(&self, plan: &mut Plan<'_, M>) -> std::result::Result<(), Diags> {
        planning::plan(&self.setup, plan).await
    }

    async fn plan_destroy(&self, prior: &M, private: &Private, diags: &mut Diags) {
        if let Some(id) = id_of(prior).filter(|_| prior.protected() && Kept::read(private).finished)
        {
            diags.push(protected(&id, "removed"));
        }
    }

    async fn create(
        &self,
        call: &Call<'_, M>,
        saved: &mut Saved<M>,
    ) -> std::result::Result<(), Diags> {
        let kept = Kept::read(saved.private());
        let (site, record) = planning::planned(&self.setup, call.planned, &kept).await?;
        let connected = self.setup.must()?;
        if let Some(finding) = taken(&self.setup, connected, &site, record.as_ref(), true) {
            return Err(Diag::from(finding).into());
        }
        missing_neighbours(&site)?;
        self.converge(call, saved, site, Journal::default(), record.is_some())
            .await
    }

    async fn update(
        &self,
        call: &Call<'_, M>,
        saved: &mut Saved<M>,
    ) -> std::result::Result<(), Diags> {
        let kept = Kept::read(saved.private());
        let (site, _) = planning::planned(&self.setup, call.planned, &kept).await?;
        missing_neighbours(&site)?;
        self.converge(call, saved, site, kept.journal?, kept.whole)
            .await
    }

    async fn read(
        &self,
        call: &Call<'_, M>,
        saved: &mut Saved<M>,
    ) -> std::result::Result<Found, Diags> {
        let Some(connected) = self.setup.connected() else {
            return Ok(Found::Here);
        };
        let Some(mut model) = saved.get().cloned() else {
            return Ok(Found::Gone);
        };
        let kept = Kept::read(saved.private());
        let journal = match kept.journal {
            Ok(journal) => journal,
            Err(error) => {
                call.warn(Diag::warning("The private state could not be read").detail(format!(
                    "{error}. The objects are looked up by their marks instead; nothing is lost."
                )));
                Journal::default()
            }
        };
        let site = self.made_last(kept.last, &model).await?;
        let inspection = connected
            .platform
            .inspect(&site, &journal, &run(call, Default::default()))
            .await?;
        if inspection.gone() {
            return Ok(Found::Gone);
        }
        let whole = inspection.clean();
        if !whole {
            call.warn(drifted(&site.thing.id(), &inspection));
            saved.private().remove(WHOLE);
        }
        model.choose(&site.thing);
        let mut outputs = connected.platform.outputs(&site, &journal);
        connected.platform.observe(&site, &mut outputs).await;
        if let Some(ill) = ill(&site.thing.id(), &outputs) {
            call.warn(ill);
        }
        model.compute(&site.thing, &outputs);
        *model.status() = Value::Known(
            if whole && kept.finished {
                READY
            } else {
                INCOMPLETE
            }
            .to_owned(),
        );
        saved.private().set(JOURNAL, journal.to_bytes());
        keep(saved, LAST, &site);
        saved.put(model);
        Ok(Found::Here)
    }

    async fn delete(
        &self,
        call: &Call<'_, M>,
        saved: &mut Saved<M>,
    ) -> std::result::Result<(), Diags> {
        let kept = Kept::read(saved.private());
        let Some(prior) = call.prior else {
            return Ok(());
        };
        let Some(id) = id_of(prior) else {
            return Ok(());
        };
        if prior.protected() && kept.finished {
            return Err(protected(&id, "removed").into());
        }
        let connected = self.setup.must()?;
        let site = self.made_last(kept.last, prior).await?;
        let keeper = Keeper {
            saved,
            journal: kept.journal.unwrap_or_default(),
        };
        let outcome = connected
            .platform
            .remove(&site, &keeper.journal, &run(call, Default::default()))
            .await;
        if outcome.complete {
            self.setup.removed(&id);
            return Ok(());
        }
        let mut model = prior.clone();
        *model.status() = Value::Known(INCOMPLETE.to_owned());
        keeper.saved.put(model);
        tell_left(call, &id, &outcome);
        Err(outcome.errors.iter().map(Diag::from).collect())
    }

    async fn import(
        &self,
        key: &ImportKey,
        saved: &mut Saved<M>,
    ) -> std::result::Result<(), Diags> {
        let text = key.text("id").unwrap_or_default();
        let id = Id::parse(M::SORT, text).map_err(|why| {
            Diags::from(Diag::error("This is not an id").detail(format!("{why}.")))
        })?;
        let connected = self.setup.must()?;
        let records = connected.platform.records().await?;
        let record = records.into_iter().find(|it| it.thing.id() == id).ok_or_else(|| {
            Diag::error(format!("There is no `{id}` to import")).detail(format!(
                "No finished {} `{id}` was found on this platform in this project. One that was never finished is taken over by \
                 applying its configuration.",
                id.sort.as_str().replace('_', " ")
            ))
        })?;
        let model = shown::<M>(&record, connected);
        let site = self.setup.standing(record.thing).await?;
        keep(saved, LAST, &site);
        keep(saved, SERVED, &site);
        saved.private().set(FINISHED, b"1".to_vec());
        saved.private().set(WHOLE, b"1".to_vec());
        saved.put(model);
        Ok(())
    }

    fn list_schema(&self) -> Option<Schema> {
        let environment = text()
            .optional()
            .doc("Only what is in this environment. Default: everything in the project.");
        Some(
            Schema::new(
                0,
                "Everything of this kind that the platform keeps a record of.",
            )
            .attr("environment_id", environment),
        )
    }

    async fn list(&self, query: &Query, found: &mut Listing<M>) -> std::result::Result<(), Diags> {
        let within: Within = query.config()?;
        let connected = self.setup.must()?;
        for record in connected.platform.records().await? {
            let id = record.thing.id();
            let wanted = id.sort == M::SORT
                && within
                    .environment_id
                    .known()
                    .is_none_or(|it| *it == id.environment.as_str());
            if wanted
                && !found
                    .push(id.to_string(), shown::<M>(&record, connected))
                    .await
            {
                break;
            }
        }
        Ok(())
    }
}

/// A `list` block's configuration.
#[derive(Serialize, Deserialize)]
struct Within {
    environment_id: Value<String>,
}

/// What a record says, as users see it.
fn shown<M: Declared>(record: &Record, connected: &Connected) -> M {
    let mut model = M::default();
    model.show(&record.thing);
    model.compute(&record.thing, &record.outputs);
    finish(&mut model, &record.thing.id(), connected, READY);
    model
}

impl<M: Declared> Lifecycle<M> {
    /// The site as it was made last: what exists is compared with that, not with what is wanted by now.
    async fn made_last(&self, last: Option<Site>, model: &M) -> std::result::Result<Site, Diags> {
        match last {
            Some(last) => Ok(last),
            None => Ok(self.setup.standing(model.thing().map_err(unfit)?).await?),
        }
    }

    /// Create, resume, adopt and update: make the thing what the site says.
    async fn converge(
        &self,
        call: &Call<'_, M>,
        saved: &mut Saved<M>,
        mut site: Site,
        journal: Journal,
        stored: bool,
    ) -> std::result::Result<(), Diags> {
        let connected = self.setup.must()?;
        let id = site.thing.id();
        let mut secrets = call.config.secrets();
        M::prepare(&mut site.thing, &mut secrets, stored)?;
        let mut model = call.planned.clone();
        model.choose(&site.thing);
        finish(&mut model, &id, connected, INCOMPLETE);
        saved.private().remove(PLANNED);
        saved.private().remove(WHOLE);
        keep(saved, LAST, &site);
        saved.put(model.clone());

        let keeper = Keeper { saved, journal };
        let outcome = connected
            .platform
            .converge(&site, &keeper.journal, &run(call, secrets))
            .await;
        let mut outputs = connected.platform.outputs(&site, &keeper.journal);
        // Machines that were made just now have nothing to say yet; those of a thing that does not become whole may know why.
        let stopped = outcome.errors.iter().any(|it| it.kind == Kind::Stopped);
        if (stored || !outcome.complete) && !stopped {
            connected.platform.observe(&site, &mut outputs).await;
        }
        if !outcome.complete
            && let Some(ill) = ill(&id, &outputs)
        {
            call.warn(ill);
        }
        model.compute(&site.thing, &outputs);
        if outcome.complete {
            finish(&mut model, &id, connected, READY);
            keeper.saved.private().set(FINISHED, b"1".to_vec());
            keeper.saved.private().set(WHOLE, b"1".to_vec());
            keep(keeper.saved, SERVED, &site);
        }
        keeper.saved.put(model);
        drop(keeper);
        said(call, &id, &outcome)
    }
}

fn finish<M: Declared>(model: &mut M, id: &Id, connected: &Connected, status: &str) {
    *model.id() = Value::Known(id.to_string());
    *model.status() = Value::Known(status.to_owned());
    if let Some(platform) = model.platform() {
        *platform = Value::Known(connected.platform.name().to_owned());
    }
}

fn run<M>(call: &Call<'_, M>, secrets: crate::engine::Secrets) -> Run {
    Run {
        deadline: call.deadline.into(),
        stop: call.stop.clone(),
        secrets,
    }
}

fn unfit(unfit: super::values::Unfit) -> Diags {
    match unfit {
        super::values::Unfit::Bad(diag) => diag.into(),
        super::values::Unfit::Unknown => Diag::error("The state holds an unknown value").into(),
    }
}
