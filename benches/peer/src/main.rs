//! The resource that `make bench` measures, on the crate `tf-provider`: the same attributes and blocks as `corner_bench` of the
//! tests, and the same that comes of them. Knows nothing of the product.

use std::borrow::Cow;
use std::collections::HashMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tf_provider::schema::{
    Attribute, AttributeConstraint, AttributeType, Block, Description, NestedBlock, Schema,
};
use tf_provider::value::{
    Value, ValueBool, ValueEmpty, ValueList, ValueMap, ValueNumber, ValueString,
};
use tf_provider::{AttributePath, Diagnostics, DynamicResource, Provider, Resource, map, serve};

#[derive(Clone, Serialize, Deserialize)]
struct Thing<'a> {
    #[serde(borrow = "'a")]
    id: ValueString<'a>,
    name: ValueString<'a>,
    region: ValueString<'a>,
    image: ValueString<'a>,
    flavor: ValueString<'a>,
    size: ValueNumber,
    count_of_nodes: ValueNumber,
    enabled: ValueBool,
    protected: ValueBool,
    networks: ValueList<ValueString<'a>>,
    tags: ValueMap<'a, ValueString<'a>>,
    address: ValueString<'a>,
    created_at: ValueString<'a>,
    notes: ValueString<'a>,
    disk: ValueList<Disk<'a>>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Disk<'a> {
    #[serde(borrow = "'a")]
    name: ValueString<'a>,
    size: ValueNumber,
}

impl Thing<'_> {
    fn fill(&mut self) {
        let name = self.name.as_str().to_owned();
        for (value, text) in [
            (&mut self.id, format!("id-{name}")),
            (&mut self.address, format!("{name}.example.org")),
            (&mut self.created_at, "2026-01-01T00:00:00Z".to_owned()),
        ] {
            if value.is_unknown() {
                *value = Value::Value(Cow::Owned(text));
            }
        }
    }
}

fn attribute(of: AttributeType, constraint: AttributeConstraint, doc: &str) -> Attribute {
    Attribute {
        attr_type: of,
        description: Description::markdown(doc),
        constraint,
        sensitive: false,
        deprecated: false,
    }
}

fn block(attributes: HashMap<String, Attribute>, doc: &str) -> Block {
    Block {
        version: 0,
        attributes,
        description: Description::markdown(doc),
        ..Block::default()
    }
}

struct Bench;

#[async_trait]
impl Resource for Bench {
    type State<'a> = Thing<'a>;
    type PrivateState<'a> = ValueEmpty;
    type ProviderMetaState<'a> = ValueEmpty;

    fn schema(&self, _: &mut Diagnostics) -> Option<Schema> {
        use AttributeConstraint::{Computed, Optional, Required};
        use AttributeType::{Bool, List, Map, Number, String};
        let texts = || Box::new(String);
        let mut all = block(
            map! {
                "id" => attribute(String, Computed, "Id."),
                "name" => attribute(String, Required, "Name."),
                "region" => attribute(String, Optional, "Region."),
                "image" => attribute(String, Optional, "Image."),
                "flavor" => attribute(String, Optional, "Flavor."),
                "size" => attribute(Number, Optional, "Size."),
                "count_of_nodes" => attribute(Number, Optional, "Nodes."),
                "enabled" => attribute(Bool, Optional, "Enabled."),
                "protected" => attribute(Bool, Optional, "Protected."),
                "networks" => attribute(List(texts()), Optional, "Networks."),
                "tags" => attribute(Map(texts()), Optional, "Tags."),
                "address" => attribute(String, Computed, "Address."),
                "created_at" => attribute(String, Computed, "Time."),
                "notes" => attribute(String, Optional, "Notes."),
            },
            "Something to measure.",
        );
        let disk = block(
            map! {
                "name" => attribute(String, Required, "Name."),
                "size" => attribute(Number, Required, "Size."),
            },
            "Disks.",
        );
        all.blocks = map! { "disk" => NestedBlock::List(disk) };
        Some(Schema {
            version: 0,
            block: all,
        })
    }

    async fn read<'a>(
        &self,
        _: &mut Diagnostics,
        state: Thing<'a>,
        private: ValueEmpty,
        _: ValueEmpty,
    ) -> Option<(Thing<'a>, ValueEmpty)> {
        Some((state, private))
    }

    async fn plan_create<'a>(
        &self,
        _: &mut Diagnostics,
        proposed: Thing<'a>,
        _: Thing<'a>,
        _: ValueEmpty,
    ) -> Option<(Thing<'a>, ValueEmpty)> {
        let planned = Thing {
            id: Value::Unknown,
            address: Value::Unknown,
            created_at: Value::Unknown,
            ..proposed
        };
        Some((planned, Value::Null))
    }

    async fn plan_update<'a>(
        &self,
        _: &mut Diagnostics,
        _: Thing<'a>,
        proposed: Thing<'a>,
        _: Thing<'a>,
        private: ValueEmpty,
        _: ValueEmpty,
    ) -> Option<(Thing<'a>, ValueEmpty, Vec<AttributePath>)> {
        Some((proposed, private, Vec::new()))
    }

    async fn plan_destroy<'a>(
        &self,
        _: &mut Diagnostics,
        _: Thing<'a>,
        private: ValueEmpty,
        _: ValueEmpty,
    ) -> Option<ValueEmpty> {
        Some(private)
    }

    async fn create<'a>(
        &self,
        _: &mut Diagnostics,
        mut planned: Thing<'a>,
        _: Thing<'a>,
        private: ValueEmpty,
        _: ValueEmpty,
    ) -> Option<(Thing<'a>, ValueEmpty)> {
        planned.fill();
        Some((planned, private))
    }

    async fn update<'a>(
        &self,
        _: &mut Diagnostics,
        _: Thing<'a>,
        mut planned: Thing<'a>,
        _: Thing<'a>,
        private: ValueEmpty,
        _: ValueEmpty,
    ) -> Option<(Thing<'a>, ValueEmpty)> {
        planned.fill();
        Some((planned, private))
    }

    async fn destroy<'a>(
        &self,
        _: &mut Diagnostics,
        _: Thing<'a>,
        _: ValueEmpty,
        _: ValueEmpty,
    ) -> Option<()> {
        Some(())
    }
}

struct Peer;

#[async_trait]
impl Provider for Peer {
    type Config<'a> = ValueEmpty;
    type MetaState<'a> = ValueEmpty;

    fn schema(&self, _: &mut Diagnostics) -> Option<Schema> {
        Some(Schema {
            version: 0,
            block: block(HashMap::new(), "Something to measure against."),
        })
    }

    fn get_resources(
        &self,
        _: &mut Diagnostics,
    ) -> Option<HashMap<String, Box<dyn DynamicResource>>> {
        Some(map! { "bench" => Bench })
    }
}

// One thread, as in the crate's own examples.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    serve("peer", Peer).await.expect("the peer serves");
}
