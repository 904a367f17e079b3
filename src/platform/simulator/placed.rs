//! A simulated object as a step of the engine: the same for every kind.

use super::{
    Simulator,
    clock::{self, NEVER},
    fault::{Call, Effect, Verb},
    item::{Facts, Item, Mark, Outside, Placed},
    world::{self, Order, Refusal, Shown},
};
use crate::engine::{Cx, Difference, Error, Kind, Mend, Object, Result, Secret, Seen, Standing};
use serde_json::{Map, Value};
use std::time::Duration;

const TAGS: &str = "tags";

/// An item's fields with ids in place of references.
struct Resolved {
    fields: Map<String, Value>,
    uses: Vec<String>,
    /// Why it cannot be made yet.
    not_yet: Option<Error>,
}

impl<T: Item> Placed<T> {
    fn doing(&self, verb: &str) -> String {
        format!(
            "{verb} {} `{}` of {}",
            T::KIND,
            self.mark.step,
            self.mark.thing
        )
    }
    fn call(&self, verb: Verb) -> Call<'_> {
        Call {
            verb,
            kind: T::KIND,
            thing: &self.mark.thing,
            step: &self.mark.step,
        }
    }
    fn name(&self) -> String {
        let place = self
            .mark
            .thing
            .split_once(':')
            .map_or(self.mark.thing.as_str(), |(_, id)| id);
        format!(
            "{}-{}",
            place.replace('/', "-"),
            self.mark.step.replace('/', "-")
        )
    }

    async fn resolved(&self, cx: &Cx<'_, Simulator>) -> Result<Resolved> {
        let item = serde_json::to_value(&self.item)
            .map_err(|why| Error::fatal(self.doing("describe"), why.to_string()))?;
        let mut resolved = Resolved {
            fields: Map::new(),
            uses: Vec::new(),
            not_yet: None,
        };
        if let Value::Object(item) = item {
            for (field, value) in item {
                let value = self.resolve(value, cx, &mut resolved).await?;
                resolved.fields.insert(field, value);
            }
        }
        resolved.fields.extend(self.item.late_fields(cx)?);
        resolved
            .fields
            .insert(TAGS.to_owned(), serde_json::json!(self.tags));
        Ok(resolved)
    }

    async fn resolve(
        &self,
        value: Value,
        cx: &Cx<'_, Simulator>,
        into: &mut Resolved,
    ) -> Result<Value> {
        // What only points to another object does not keep it from going.
        let mut holds = true;
        let id = match &value {
            Value::Array(items) => {
                let mut done = Vec::new();
                for item in items {
                    done.push(Box::pin(self.resolve(item.clone(), cx, into)).await?);
                }
                return Ok(Value::Array(done));
            }
            Value::Object(map) if map.len() == 1 => match map.iter().next() {
                Some((key, Value::String(step))) if key == "$ref" || key == "$made" => {
                    holds = key == "$ref";
                    let facts = cx.journal.get(step).and_then(|entry| entry.facts);
                    facts.and_then(|facts| {
                        facts.get("id").and_then(Value::as_str).map(str::to_owned)
                    })
                }
                Some((key, _)) if key == "$outside" => {
                    let outside: Outside = serde_json::from_value(value.clone())
                        .map_err(|why| Error::fatal(self.doing("read"), why.to_string()))?;
                    self.outside(outside.mark, cx, into).await?
                }
                _ => return Ok(value),
            },
            _ => return Ok(value),
        };
        into.uses.extend(id.clone().filter(|_| holds));
        Ok(id.map_or(Value::Null, Value::String))
    }

    async fn outside(
        &self,
        mark: Mark,
        cx: &Cx<'_, Simulator>,
        into: &mut Resolved,
    ) -> Result<Option<String>> {
        let (cloud, now) = (cx.cloud, clock::now());
        let found = cloud
            .file
            .read(|db| world::by_mark(db, cloud.region(), &mark.thing, &mark.step, now))
            .await?;
        let what = format!("`{}` of {}", mark.step, mark.thing);
        let (kind, why) = match &found {
            None => (Kind::Fatal, format!("{what} is not there")),
            Some(it) => match standing(it, now) {
                Standing::Ready => return Ok(Some(it.id.clone())),
                Standing::Broken(why) => {
                    (Kind::Fatal, format!("{what} ({}) has failed: {why}", it.id))
                }
                Standing::Pending(state) => (Kind::Busy, format!("{what} ({}) is {state}", it.id)),
                Standing::Leaving => (Kind::Busy, format!("{what} ({}) is on its way out", it.id)),
            },
        };
        into.not_yet = Some(
            Error::new(kind, self.doing("create"), why)
                .remedy("apply again: what is incomplete is finished first"),
        );
        Ok(found.map(|it| it.id))
    }

    fn differences(&self, wanted: &Resolved, found: &Shown) -> Vec<Difference> {
        let missing = Value::Null;
        let differs = |&(field, mend): &(&'static str, Mend)| {
            let wanted = wanted.fields.get(field).unwrap_or(&missing);
            let found = found.fields.get(field).unwrap_or(&missing);
            let told = |value: &Value| {
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            };
            (wanted != found).then(|| Difference {
                field,
                wanted: told(wanted),
                found: told(found),
                mend,
            })
        };
        T::FIELDS
            .iter()
            .chain(&[(TAGS, Mend::Update)])
            .filter_map(differs)
            .collect()
    }

    fn order<'a>(
        &'a self,
        cx: &Cx<'a, Simulator>,
        resolved: &'a Resolved,
        parts: &'a Parts,
        effect: Option<Effect>,
    ) -> Order<'a> {
        let now = clock::now();
        let wait = clock::millis((cx.cloud.settings.latency * T::WEIGHT).as_millis());
        Order {
            region: cx.cloud.region(),
            kind: T::KIND,
            thing: &self.mark.thing,
            step: &self.mark.step,
            name: self.name(),
            fields: &resolved.fields,
            spec: &parts.spec,
            uses: &resolved.uses,
            takes: &parts.takes,
            limits: &cx.cloud.settings.quota,
            pool: self.item.pool(),
            secret: parts.secret.as_ref().map(Secret::expose),
            now,
            ready_at: match effect {
                Some(Effect::Stuck | Effect::Breaks) => NEVER,
                _ => now.saturating_add(wait),
            },
            broken_at: (effect == Some(Effect::Breaks)).then(|| now.saturating_add(wait / 2)),
        }
    }

    fn parts(&self, cx: &Cx<'_, Simulator>, old: bool) -> Result<Parts> {
        Ok(Parts {
            spec: serde_json::to_value(self)
                .map_err(|why| Error::fatal(self.doing("describe"), why.to_string()))?,
            takes: self.item.takes(),
            secret: self.item.secret(cx, old)?,
        })
    }

    fn refused(&self, verb: &str, refusal: Refusal) -> Error {
        let doing = self.doing(verb);
        match refusal {
            Refusal::Quota { quota, limit, used, asked } => {
                Error::fatal(doing, format!("quota `{quota}` exceeded: {used} of {limit} are used, {asked} more are asked for"))
                    .remedy("raise `simulator.quota`, or plan less")
            }
            Refusal::NoAddress(pool) => Error::fatal(doing, format!("no address is left in {pool}")),
            Refusal::NoSuch(id) => Error::fatal(doing, format!("it is to be made on {id}, which is not there")).remedy("apply again"),
            Refusal::InUse(user) => Error::new(Kind::Busy, doing, format!("it is in use by {user}")),
        }
    }
}

/// What of an order has to live as long as it.
struct Parts {
    spec: Value,
    takes: Vec<(&'static str, u64)>,
    secret: Option<Secret>,
}

fn standing(shown: &Shown, now: clock::Millis) -> Standing {
    match shown {
        Shown {
            gone_at: Some(_), ..
        } => Standing::Leaving,
        Shown {
            broken_at: Some(at),
            ..
        } if *at <= now => Standing::Broken("ERROR: it failed to start".to_owned()),
        Shown { ready_at, .. } if *ready_at > now => Standing::Pending("BUILD".to_owned()),
        _ => Standing::Ready,
    }
}

impl<T: Item> Object<Simulator> for Placed<T> {
    const KIND: &'static str = T::KIND;
    type Facts = Facts;

    fn id(facts: &Facts) -> String {
        facts.id.clone()
    }

    async fn find(
        &self,
        cx: &Cx<'_, Simulator>,
        known: Option<&Facts>,
    ) -> Result<Option<Seen<Facts>>> {
        let wanted = self.resolved(cx).await?;
        let cloud = cx.cloud;
        let doing = self.doing("look for");
        let found = cloud
            .call(self.call(Verb::Find), &doing, |_| {
                cloud.file.read(|db| {
                    let now = clock::now();
                    let known = known
                        .map(|facts| world::by_id(db, &facts.id, now))
                        .transpose()?
                        .flatten();
                    match known.filter(|it| it.gone_at.is_none()) {
                        Some(it) => Ok(Some(it)),
                        None => world::by_mark(
                            db,
                            cloud.region(),
                            &self.mark.thing,
                            &self.mark.step,
                            now,
                        ),
                    }
                })
            })
            .await?;
        Ok(found.map(|it| Seen {
            standing: standing(&it, clock::now()),
            differences: self.differences(&wanted, &it),
            facts: Facts {
                id: it.id,
                address: it.address,
            },
        }))
    }

    async fn create(&self, cx: &Cx<'_, Simulator>) -> Result<Facts> {
        let resolved = self.resolved(cx).await?;
        if let Some(not_yet) = &resolved.not_yet {
            return Err(not_yet.clone());
        }
        let parts = self.parts(cx, false)?;
        let doing = self.doing("create");
        let made = cx
            .cloud
            .call(self.call(Verb::Create), &doing, |effect| {
                let order = self.order(cx, &resolved, &parts, effect);
                async move { cx.cloud.file.change(|tx| world::create(tx, &order)).await }
            })
            .await?;
        let (id, address) = made.map_err(|refusal| self.refused("create", refusal))?;
        Ok(Facts { id, address })
    }

    async fn update(
        &self,
        cx: &Cx<'_, Simulator>,
        facts: &Facts,
        _differences: &[Difference],
    ) -> Result<()> {
        let resolved = self.resolved(cx).await?;
        if let Some(not_yet) = &resolved.not_yet {
            return Err(not_yet.clone());
        }
        let parts = self.parts(cx, true)?;
        let doing = self.doing("update");
        let changed = cx
            .cloud
            .call(self.call(Verb::Update), &doing, |effect| {
                let order = self.order(cx, &resolved, &parts, effect);
                async move {
                    cx.cloud
                        .file
                        .change(|tx| world::update(tx, &facts.id, &order))
                        .await
                }
            })
            .await?;
        match changed.map_err(|refusal| self.refused("update", refusal))? {
            true => Ok(()),
            false => Err(Error::new(
                Kind::Gone,
                doing,
                format!("{} is not there any more", facts.id),
            )),
        }
    }

    async fn delete(&self, cx: &Cx<'_, Simulator>, facts: &Facts) -> Result<()> {
        let doing = self.doing("delete");
        let cloud = cx.cloud;
        let gone = cloud
            .call(self.call(Verb::Delete), &doing, |effect| {
                let now = clock::now();
                let gone_at = match effect {
                    Some(Effect::Stuck) => NEVER,
                    _ => now.saturating_add(clock::millis(
                        (cloud.settings.latency * T::WEIGHT).as_millis(),
                    )),
                };
                async move {
                    cloud
                        .file
                        .change(|tx| world::delete(tx, &facts.id, now, gone_at))
                        .await
                }
            })
            .await?;
        gone.map_err(|refusal| self.refused("delete", refusal))
    }

    fn keeps_data(&self) -> bool {
        self.item.keeps_data()
    }
    fn awaited(&self) -> bool {
        self.item.awaited()
    }
    fn instant(&self) -> bool {
        T::WEIGHT == 0
    }
    fn usually(&self) -> Duration {
        Duration::ZERO
    }
    fn outlives(&self) -> bool {
        self.item.outlives()
    }
}
