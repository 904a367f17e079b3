//! Resources that live in the folder: identity, import, drift, replacement, upgrade, move, lists, private data.

use std::sync::Arc;

use invenioils::plugin::{
    Call, Diag, Diags, Found, IdentitySchema, ImportKey, Listing, MoveSource, Query, Resource,
    Saved, Schema, Type, Value, int, text,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::store::Store;

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Model {
    id: Value<String>,
    name: Value<String>,
    size: Value<i64>,
    note: Value<String>,
    revision: Value<i64>,
}

/// Things, of the third version of their schema.
pub struct Thing(pub Arc<Store>);

#[derive(Clone, Serialize, Deserialize)]
struct Filter {
    prefix: Value<String>,
}

impl Thing {
    fn write(&self, model: &Model) {
        let object = json!({
            "name": model.name.known(), "size": model.size.known(), "note": model.note.known(),
            "revision": model.revision.known(),
        });
        self.0
            .put(model.id.known().map_or("", String::as_str), &object);
    }

    fn model(id: &str, object: &Json) -> Model {
        Model {
            id: id.into(),
            name: object["name"].as_str().map(str::to_owned).into(),
            size: object["size"].as_i64().into(),
            note: object["note"].as_str().map(str::to_owned).into(),
            revision: object["revision"].as_i64().into(),
        }
    }
}

impl Resource for Thing {
    type Model = Model;

    fn name(&self) -> &'static str {
        "corner_thing"
    }

    fn schema(&self) -> Schema {
        Schema::new(2, "A thing.")
            .attr("id", text().keep().doc("Its id."))
            .attr(
                "name",
                text()
                    .required()
                    .replace()
                    .check_text(|name| {
                        if name.len() > 20 {
                            Err("a name has at most 20 letters".into())
                        } else {
                            Ok(())
                        }
                    })
                    .doc("Its name."),
            )
            .attr("size", int().default(3).range(1..=100).doc("Its size."))
            .attr("note", text().optional().doc("A note."))
            .attr("revision", int().computed().doc("Counts its changes."))
    }

    fn identity(&self) -> Option<IdentitySchema> {
        Some(IdentitySchema::new(1).required("id", Type::String, "Its id."))
    }

    async fn create(&self, call: &Call<'_, Model>, saved: &mut Saved<Model>) -> Result<(), Diags> {
        let mut made = call.planned.clone();
        let name = made.name.known().cloned().unwrap_or_default();
        if self.0.is_open() && self.0.get(&format!("thing-{name}")).is_some() {
            return Err(Diag::error(format!("the name `{name}` is taken"))
                .at("name")
                .into());
        }
        made.id = format!("thing-{name}").into();
        made.revision = 1.into();
        self.write(&made);
        saved.private().set("made_by", "corner");
        saved.put(made);
        Ok(())
    }

    async fn read(&self, _: &Call<'_, Model>, saved: &mut Saved<Model>) -> Result<Found, Diags> {
        if !self.0.is_open() {
            return Ok(Found::Here);
        }
        let id = saved
            .get()
            .and_then(|model| model.id.known())
            .cloned()
            .unwrap_or_default();
        match self.0.get(&id) {
            Some(object) => {
                saved.put(Self::model(&id, &object));
                Ok(Found::Here)
            }
            None => Ok(Found::Gone),
        }
    }

    async fn update(&self, call: &Call<'_, Model>, saved: &mut Saved<Model>) -> Result<(), Diags> {
        if saved.private().get("made_by").is_none() {
            call.context
                .warn(Diag::warning("this thing was not made here"));
        }
        let mut changed = call.planned.clone();
        let before = call
            .prior
            .and_then(|prior| prior.revision.known())
            .copied()
            .unwrap_or_default();
        changed.revision = (before + 1).into();
        self.write(&changed);
        saved.put(changed);
        Ok(())
    }

    async fn delete(&self, _: &Call<'_, Model>, saved: &mut Saved<Model>) -> Result<(), Diags> {
        if let Some(id) = saved.get().and_then(|model| model.id.known()) {
            self.0.delete(id);
        }
        saved.clear();
        Ok(())
    }

    async fn import(&self, key: &ImportKey, saved: &mut Saved<Model>) -> Result<(), Diags> {
        let id = key.text("id").unwrap_or_default();
        if self.0.get(id).is_none() {
            return Err(Diag::error(format!("there is no thing `{id}`")).into());
        }
        saved.put(Model {
            id: id.into(),
            ..Model::default()
        });
        Ok(())
    }

    /// Version 0 called the size `weight`, and kept it as text; version 1 had no note.
    fn upgrade(&self, from: i64, mut state: Json) -> Result<Json, Diags> {
        if from == 0 {
            let weight = state["weight"]
                .as_str()
                .and_then(|weight| weight.parse::<i64>().ok());
            state["size"] = json!(weight);
            state.as_object_mut().map(|state| state.remove("weight"));
        }
        state["note"] = Json::Null;
        Ok(state)
    }

    /// Version 0 called the id `key`.
    fn upgrade_identity(&self, _: i64, identity: Json) -> Result<Json, Diags> {
        Ok(json!({ "id": identity["key"] }))
    }

    fn moved(&self, source: &MoveSource<'_>) -> Result<Option<Model>, Diags> {
        if source.type_name != "corner_other" {
            return Ok(None);
        }
        let Some(label) = source.state["label"].as_str() else {
            return Err(Diag::error("an object without label cannot be moved").into());
        };
        Ok(Some(Model {
            id: format!("thing-{label}").into(),
            name: label.into(),
            size: 3.into(),
            note: Value::Null,
            revision: 1.into(),
        }))
    }

    fn list_schema(&self) -> Option<Schema> {
        Some(
            Schema::new(0, "All things.")
                .attr("prefix", text().optional().doc("How their ids start.")),
        )
    }

    async fn list(&self, query: &Query, found: &mut Listing<Model>) -> Result<(), Diags> {
        let filter: Filter = query.config()?;
        let prefix = filter.prefix.known().cloned().unwrap_or_default();
        for (id, object) in self.0.all() {
            let wanted = id
                .strip_prefix("thing-")
                .is_some_and(|name| name.starts_with(&prefix));
            if wanted
                && !found
                    .push(format!("thing {id}"), Self::model(&id, &object))
                    .await
            {
                break;
            }
        }
        Ok(())
    }
}

/// What things were called once; they can be moved.
pub struct Other(pub Arc<Store>);

#[derive(Clone, Serialize, Deserialize)]
pub struct OtherModel {
    label: Value<String>,
}

impl Resource for Other {
    type Model = OtherModel;

    fn name(&self) -> &'static str {
        "corner_other"
    }

    fn schema(&self) -> Schema {
        Schema::new(0, "Another thing.").attr("label", text().required().replace().doc("Its name."))
    }

    async fn create(
        &self,
        call: &Call<'_, OtherModel>,
        saved: &mut Saved<OtherModel>,
    ) -> Result<(), Diags> {
        let label = call.planned.label.known().cloned().unwrap_or_default();
        let object = json!({ "name": label, "size": 3, "note": null, "revision": 1 });
        self.0.put(&format!("thing-{label}"), &object);
        saved.put(call.planned.clone());
        Ok(())
    }

    async fn read(
        &self,
        _: &Call<'_, OtherModel>,
        _: &mut Saved<OtherModel>,
    ) -> Result<Found, Diags> {
        Ok(Found::Here)
    }

    async fn update(
        &self,
        call: &Call<'_, OtherModel>,
        saved: &mut Saved<OtherModel>,
    ) -> Result<(), Diags> {
        saved.put(call.planned.clone());
        Ok(())
    }

    async fn delete(
        &self,
        _: &Call<'_, OtherModel>,
        saved: &mut Saved<OtherModel>,
    ) -> Result<(), Diags> {
        saved.clear();
        Ok(())
    }
}
