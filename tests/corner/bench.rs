//! The resource that is measured side by side with a provider built on another runtime: 14 attributes and a block.

use std::collections::BTreeMap;

use invenioils::plugin::{
    BlockNesting, Schema, SchemaBlock, Type, Value, boolean, int, list, map, text,
};
use serde::{Deserialize, Serialize};

use super::plain::Shape;

#[derive(Clone, Serialize, Deserialize)]
pub struct Bench {
    id: Value<String>,
    name: Value<String>,
    region: Value<String>,
    image: Value<String>,
    flavor: Value<String>,
    size: Value<i64>,
    count_of_nodes: Value<i64>,
    enabled: Value<bool>,
    protected: Value<bool>,
    networks: Value<Vec<Value<String>>>,
    tags: Value<BTreeMap<String, Value<String>>>,
    address: Value<String>,
    created_at: Value<String>,
    notes: Value<String>,
    disk: Value<Vec<BenchDisk>>,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct BenchDisk {
    name: Value<String>,
    size: Value<i64>,
}

impl Shape for Bench {
    const NAME: &'static str = "corner_bench";

    fn schema() -> Schema {
        let disk = [
            ("name", text().required().doc("Name.")),
            ("size", int().required().doc("Size.")),
        ];
        Schema::new(0, "Something to measure.")
            .attr("id", text().keep().doc("Id."))
            .attr("name", text().required().doc("Name."))
            .attr("region", text().optional().doc("Region."))
            .attr("image", text().optional().doc("Image."))
            .attr("flavor", text().optional().doc("Flavor."))
            .attr("size", int().optional().doc("Size."))
            .attr("count_of_nodes", int().optional().doc("Nodes."))
            .attr("enabled", boolean().optional().doc("Enabled."))
            .attr("protected", boolean().optional().doc("Protected."))
            .attr("networks", list(Type::String).optional().doc("Networks."))
            .attr("tags", map(Type::String).optional().doc("Tags."))
            .attr("address", text().keep().doc("Address."))
            .attr("created_at", text().keep().doc("Time."))
            .attr("notes", text().optional().doc("Notes."))
            .block(
                "disk",
                SchemaBlock::new(BlockNesting::List, disk).doc("Disks."),
            )
    }

    fn fill(&mut self, _: &Self) {
        let name = self.name.known().cloned().unwrap_or_default();
        for (value, text) in [
            (&mut self.id, format!("id-{name}")),
            (&mut self.address, format!("{name}.example.org")),
            (&mut self.created_at, "2026-01-01T00:00:00Z".to_owned()),
        ] {
            if value.is_unknown() {
                *value = Value::Known(text);
            }
        }
    }
}
