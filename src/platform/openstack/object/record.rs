//! The record of a finished thing, so that it can be imported and a lost state be had back: an image without data, whose
//! properties carry the JSON. Glance is always there, one list returns all records with their content, and an image that
//! stays `queued` without a format can never be booted.

use super::Of;
use crate::engine::{Cx, Difference, Error, Object, Result, Seen, Standing};
use crate::platform::openstack::{
    OpenStack,
    api::Service,
    lists::{Marked, seek},
    mark::{Mark, OURS},
};
use crate::site::Record;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    sync::PoisonError,
    time::{Duration, Instant},
};

/// Properties hold 64 KiB at most, in bytes.
const ROOM: usize = 16_000;
const COUNT: &str = "invenioils_pieces";

#[derive(Serialize, Deserialize)]
pub struct Kept {
    pub mark: Mark,
    pub name: String,
    /// What was declared. Its outputs are taken from the journal when it is written.
    pub owner: String,
    pub thing: Value,
    /// The environment's, which an instance shows as its own.
    pub public_address: Option<String>,
    /// References to all other steps: their facts are what the record tells.
    pub of: Vec<Value>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    pub id: String,
    #[serde(default)]
    pub status: String,
    #[serde(default, rename = "invenioils_mark")]
    pub mark: String,
    #[serde(flatten)]
    pub properties: Map<String, Value>,
}

impl Marked for Listed {
    fn id(&self) -> &str {
        &self.id
    }
    fn mark(&self) -> &str {
        &self.mark
    }
}

impl Listed {
    /// The JSON that the pieces make. None: this is something else of ours.
    pub fn text(&self) -> Option<String> {
        let count: usize = self.properties.get(COUNT)?.as_str()?.parse().ok()?;
        (0..count)
            .map(|piece| {
                self.properties
                    .get(&format!("invenioils_{piece}"))?
                    .as_str()
            })
            .collect()
    }
    pub fn record(&self) -> Option<Record> {
        serde_json::from_str(&self.text()?).ok()
    }
}

/// Cuts at character borders: each piece has at most that many bytes.
pub fn pieces(text: &str) -> Vec<&str> {
    let mut rest = text;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let mut end = rest.len().min(ROOM);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// The body that makes an image carry a text.
pub fn image_body(mark: &Mark, name: &str, text: &str) -> Map<String, Value> {
    let pieces = pieces(text);
    let mut body = Map::new();
    body.insert("name".into(), json!(name));
    body.insert("visibility".into(), json!("private"));
    body.insert("tags".into(), json!([OURS]));
    body.insert("invenioils_mark".into(), json!(mark));
    body.insert(COUNT.into(), json!(pieces.len().to_string()));
    for (index, piece) in pieces.iter().enumerate() {
        body.insert(format!("invenioils_{index}"), json!(piece));
    }
    body
}

impl Kept {
    fn record(&self, cx: &Cx<'_, OpenStack>) -> Result<Record> {
        let thing = serde_json::from_value(self.thing.clone())
            .map_err(|why| Error::fatal("read a journalled record", why.to_string()))?;
        let outputs = cx
            .cloud
            .outputs_of(&thing, self.public_address.as_deref(), cx.journal);
        Ok(Record {
            owner: self.owner.clone(),
            thing,
            outputs,
        })
    }
}

/// What a record says without the state of machines, which changes without us.
fn lasting(record: &Record) -> Record {
    let mut record = record.clone();
    for node in &mut record.outputs.nodes {
        node.state.clear();
    }
    record
}

impl Object<OpenStack> for Kept {
    const KIND: &'static str = "record";
    type Facts = Of;

    fn id(facts: &Of) -> String {
        facts.id.clone()
    }
    async fn find(&self, cx: &Cx<'_, OpenStack>, known: Option<&Of>) -> Result<Option<Seen<Of>>> {
        let list = cx
            .cloud
            .kept(cx.cloud.since(known.is_some(), cx.since))
            .await?;
        let Some(found) = seek(&list, known, &self.mark) else {
            return Ok(None);
        };
        let facts: Of = found.id.as_str().into();
        if found.status == "pending_delete" || found.status == "deleted" {
            return Ok(Some(Seen {
                facts,
                standing: Standing::Leaving,
                differences: Vec::new(),
            }));
        }
        let wanted = self.record(cx)?;
        let differences = match found.record() {
            Some(record) if lasting(&record) == lasting(&wanted) => Vec::new(),
            Some(_) => vec![Difference::update(
                "content",
                "as it is now",
                "of an earlier apply",
            )],
            None => vec![Difference::update("content", "a record", "something else")],
        };
        Ok(Some(Seen {
            facts,
            standing: Standing::Ready,
            differences,
        }))
    }
    async fn create(&self, cx: &Cx<'_, OpenStack>) -> Result<Of> {
        let record = self.record(cx)?;
        let text = written(&record)?;
        let body = Value::Object(image_body(&self.mark, &self.name, &text));
        let reply = cx
            .cloud
            .api
            .post(
                Service::Image,
                "/images",
                format!("write the record of `{}`", self.name),
                body,
            )
            .json_answer()
            .await?;
        let id = reply["id"].as_str().unwrap_or_default();
        cx.cloud.note_record(id, Some(record));
        Ok(id.into())
    }
    async fn update(&self, cx: &Cx<'_, OpenStack>, facts: &Of, _: &[Difference]) -> Result<()> {
        let record = self.record(cx)?;
        let body = image_body(&self.mark, &self.name, &written(&record)?);
        let list = cx.cloud.kept(cx.since).await?;
        let now = list
            .iter()
            .find(|it| it.id == facts.id)
            .map(|it| it.properties.clone())
            .unwrap_or_default();
        let mut changes = Vec::new();
        for (key, value) in body
            .iter()
            .filter(|(key, _)| key.starts_with("invenioils_"))
        {
            let op = if now.contains_key(key) || key == "invenioils_mark" {
                "replace"
            } else {
                "add"
            };
            changes.push(json!({ "op": op, "path": format!("/{key}"), "value": value }));
        }
        for key in now
            .keys()
            .filter(|key| key.starts_with("invenioils_") && !body.contains_key(*key))
        {
            changes.push(json!({ "op": "remove", "path": format!("/{key}") }));
        }
        let call = cx.cloud.api.call(
            Service::Image,
            reqwest::Method::PATCH,
            format!("/images/{}", facts.id),
            format!("update the record of `{}`", self.name),
        );
        let call = call.json(Value::Array(changes)).header(
            "content-type",
            "application/openstack-images-v2.1-json-patch",
        );
        call.send().await?;
        cx.cloud.note_record(&facts.id, Some(record));
        Ok(())
    }
    async fn delete(&self, cx: &Cx<'_, OpenStack>, facts: &Of) -> Result<()> {
        cx.cloud
            .api
            .delete(
                Service::Image,
                format!("/images/{}", facts.id),
                format!("delete the record of `{}`", self.name),
            )
            .await?;
        cx.cloud.note_record(&facts.id, None);
        Ok(())
    }
    fn instant(&self) -> bool {
        true
    }
}

fn written(record: &Record) -> Result<String> {
    serde_json::to_string(record).map_err(|why| Error::fatal("write a record", why.to_string()))
}

/// How long our own word counts more than a list: lists are younger than that.
const FRESH: Duration = Duration::from_secs(30);

impl OpenStack {
    /// Every record of this project. Only calls to Glance change them.
    pub(in crate::platform::openstack) async fn all_records(&self) -> Result<Vec<Record>> {
        let list = self.kept(self.epoch()).await?;
        let mut records: BTreeMap<&str, Option<Record>> = list
            .iter()
            .map(|it| (it.id.as_str(), it.record()))
            .collect();
        let fresh = self
            .fresh_records
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for (id, (written, record)) in fresh.iter() {
            if written.elapsed() < FRESH {
                records.insert(id, record.clone());
            }
        }
        Ok(records.into_values().flatten().collect())
    }

    /// What this process has just written need not be asked for.
    fn note_record(&self, id: &str, record: Option<Record>) {
        let mut fresh = self
            .fresh_records
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        fresh.insert(id.to_owned(), (Instant::now(), record));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_comes_back_from_its_pieces() {
        let text = "äbc€".repeat(9_000);
        let body = image_body(&Mark::default(), "x", &text);
        let mut listed = json!({ "id": "1", "status": "queued" });
        listed.as_object_mut().unwrap().extend(body);
        let listed: Listed = serde_json::from_value(listed).unwrap();
        assert_eq!(listed.text().as_deref(), Some(text.as_str()));
        assert!(pieces(&text).iter().all(|piece| piece.len() <= ROOM) && pieces(&text).len() > 3);
    }
}
