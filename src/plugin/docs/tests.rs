//! A small provider's pages, word for word where words matter.

use super::*;
use crate::plugin::{
    AnyFunction, AnyResource, Call, Configure, Diags, Dynamic, Found, Function, FunctionError,
    Parameter, Resource, Saved, Type, int, list_of, object, text,
};

struct Shelf;

impl Resource for Shelf {
    type Model = Dynamic;

    fn name(&self) -> &'static str {
        "test_shelf"
    }

    fn schema(&self) -> Schema {
        Schema::new(0, "A shelf.\n\nIt holds books.")
            .attr(
                "name",
                text().required().replace().doc("What it is called."),
            )
            .attr("boards", int().default(5).doc("How many boards."))
            .attr(
                "color",
                text().optional().one_of(&["red", "blue"]).doc("Its color."),
            )
            .attr("key_wo", text().optional().write_only().doc("The key."))
            .attr("id", text().computed().doc("Its id."))
            .attr(
                "place",
                object([
                    ("room", text().required().doc("Which room.")),
                    (
                        "marks",
                        list_of([("x", int().required().doc("Where."))])
                            .optional()
                            .doc("Marks."),
                    ),
                ])
                .optional()
                .doc("Where it stands."),
            )
    }

    fn identity(&self) -> Option<IdentitySchema> {
        Some(IdentitySchema::new(0).required("id", Type::String, "Its id."))
    }

    async fn create(&self, _: &Call<'_, Dynamic>, _: &mut Saved<Dynamic>) -> Result<(), Diags> {
        Ok(())
    }

    async fn read(&self, _: &Call<'_, Dynamic>, _: &mut Saved<Dynamic>) -> Result<Found, Diags> {
        Ok(Found::Here)
    }

    async fn update(&self, _: &Call<'_, Dynamic>, _: &mut Saved<Dynamic>) -> Result<(), Diags> {
        Ok(())
    }

    async fn delete(&self, _: &Call<'_, Dynamic>, _: &mut Saved<Dynamic>) -> Result<(), Diags> {
        Ok(())
    }
}

struct Join;

impl Function for Join {
    type Args = (String, Vec<String>);
    type Output = String;

    fn name(&self) -> &'static str {
        "join"
    }

    fn signature(&self) -> Signature {
        Signature::new("Joins texts.", Type::String)
            .parameter(Parameter::new(
                "between",
                Type::String,
                "What stands between.",
            ))
            .variadic(Parameter::new("texts", Type::String, "The texts.").nullable())
    }

    fn call(&self, (between, texts): Self::Args) -> Result<String, FunctionError> {
        Ok(texts.join(&between))
    }
}

struct Library;

impl Provider for Library {
    type Config = Dynamic;

    fn name(&self) -> &'static str {
        "test"
    }

    fn version(&self) -> &str {
        "0"
    }

    fn schema(&self) -> Schema {
        Schema::new(0, "Libraries.").attr("region", text().optional().doc("Where."))
    }

    async fn configure(&self, _: &Configure<'_, Dynamic>) -> Result<(), Diags> {
        Ok(())
    }

    fn resources(&self) -> Vec<Box<dyn AnyResource>> {
        vec![Box::new(Shelf)]
    }

    fn functions(&self) -> Vec<Box<dyn AnyFunction>> {
        vec![Box::new(Join)]
    }
}

#[test]
fn pages_say_what_the_schema_says() {
    let examples = tempfile::tempdir().unwrap();
    let folder = examples.path().join("resources/test_shelf");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("resource.tf"),
        "resource \"test_shelf\" \"a\" {}\n",
    )
    .unwrap();
    std::fs::write(
        folder.join("import.sh"),
        "terraform import test_shelf.a a\n",
    )
    .unwrap();
    let pages = render(&Library, examples.path());
    let names: Vec<&str> = pages.keys().filter_map(|path| path.to_str()).collect();
    assert_eq!(
        names,
        ["functions/join.md", "index.md", "resources/shelf.md"]
    );
    assert_eq!(
        pages[Path::new("resources/shelf.md")],
        r#"---
page_title: "test_shelf Resource - terraform-provider-test"
subcategory: ""
description: |-
  A shelf.
---

# test_shelf (Resource)

A shelf.

It holds books.

## Example Usage

```terraform
resource "test_shelf" "a" {}
```

## Schema

### Required

- `name` (String) What it is called. A change replaces the object.

### Optional

- `boards` (Number) How many boards. Default: `5`.
- `color` (String) Its color. One of `red`, `blue`.
- `key_wo` (String, Write-only) The key. Write-only: never stored.
- `place` (Attributes) Where it stands. (see [below for nested schema](#nestedatt--place))

### Read-Only

- `id` (String) Its id.

<a id="nestedatt--place"></a>
### Nested Schema for `place`

Required:

- `room` (String) Which room.

Optional:

- `marks` (Attributes List) Marks. (see [below for nested schema](#nestedatt--place--marks))

<a id="nestedatt--place--marks"></a>
### Nested Schema for `place.marks`

Required:

- `x` (Number) Where.

Write-only attributes need Terraform or OpenTofu 1.11 or later. They reach the provider and are never stored: change the matching `_version` attribute to give a new value.

## Import

Terraform 1.12 and later can import by identity, with an `import` block and these attributes:

- `id` (String, required) Its id.

```terraform
import {
  to = test_shelf.example
  identity = {
    id = "…"
  }
}
```

Every version can import with the command line:

```shell
terraform import test_shelf.a a
```
"#
    );
    let function = &pages[Path::new("functions/join.md")];
    assert!(
        function.contains("join(between string, texts string...) string"),
        "{function}"
    );
    assert!(
        function.contains("- `texts` (String, Nullable) The texts."),
        "{function}"
    );
}

#[test]
fn pages_are_the_same_every_time() {
    let nowhere = Path::new("no-such-folder");
    assert_eq!(render(&Library, nowhere), render(&Library, nowhere));
}
