//! The thing that is planned: 14 attributes and two blocks, as configuration, as state, and in terraform's language.

use serde_json::{Value, json};

/// The `index`th configuration; what is not in it is null.
pub fn config(index: usize) -> Value {
    json!({
        "id": null, "name": name(index), "region": "north", "image": "debian-12", "flavor": "m1.small",
        "size": 40, "count_of_nodes": 3, "enabled": true, "protected": false,
        "networks": ["front", "back"], "tags": { "shelf": "b", "room": "12" },
        "address": null, "created_at": null, "notes": "One of many.",
        "disk": [{ "name": "root", "size": 20 }, { "name": "data", "size": 200 }],
    })
}

/// What has become of it.
pub fn state(index: usize) -> Value {
    let mut state = config(index);
    let name = name(index);
    state["id"] = json!(format!("id-{name}"));
    state["address"] = json!(format!("{name}.example.org"));
    state["created_at"] = json!("2026-01-01T00:00:00Z");
    state
}

/// All names are of one length, so that one state is made from another by writing over its name.
pub fn name(index: usize) -> String {
    format!("thing-{index:05}")
}

/// `count` of them for a provider, or for the `terraform_data` that terraform itself has.
pub fn configuration(provider: &str, count: usize) -> String {
    let name = "format(\"thing-%05d\", count.index)";
    if provider == "terraform" {
        return format!(
            r#"resource "terraform_data" "it" {{
  count = {count}
  input = {{
    name = {name}, region = "north", image = "debian-12", flavor = "m1.small", size = 40, count_of_nodes = 3
    enabled = true, protected = false, networks = ["front", "back"], tags = {{ shelf = "b", room = "12" }}
    notes = "One of many.", disk = [{{ name = "root", size = 20 }}, {{ name = "data", size = 200 }}]
  }}
}}
"#
        );
    }
    format!(
        r#"terraform {{
  required_providers {{
    {provider} = {{
      source = "tests/{provider}"
    }}
  }}
}}
resource "{provider}_bench" "it" {{
  count          = {count}
  name           = {name}
  region         = "north"
  image          = "debian-12"
  flavor         = "m1.small"
  size           = 40
  count_of_nodes = 3
  enabled        = true
  protected      = false
  networks       = ["front", "back"]
  tags           = {{ shelf = "b", room = "12" }}
  notes          = "One of many."
  disk {{
    name = "root"
    size = 20
  }}
  disk {{
    name = "data"
    size = 200
  }}
}}
"#
    )
}
