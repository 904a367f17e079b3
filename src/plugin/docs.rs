//! The pages of a registry, made of the schemas: nothing is said twice. Reads examples; writes nothing.

mod attributes;
mod page;

use super::{IdentitySchema, Provider, Schema, Signature, erased::AnyProvider};
use page::{Page, front};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// All pages by their path below `docs/`. `examples` is the folder `examples/` in the registry's layout; a page
/// includes what is there, and goes without what is not.
pub fn render(provider: &impl Provider, examples: &Path) -> BTreeMap<PathBuf, String> {
    let docs = Docs { provider, examples };
    let mut pages = BTreeMap::from([(PathBuf::from("index.md"), docs.index())]);
    let mut add = |folder: &str, name: &str, page: String| {
        let short = name
            .strip_prefix(provider.name())
            .and_then(|rest| rest.strip_prefix('_'))
            .unwrap_or(name);
        pages.insert(Path::new(folder).join(format!("{short}.md")), page);
    };
    for item in provider.any_resources() {
        let (name, schema, identity) = (item.any_name(), item.any_schema(), item.any_identity());
        add(
            "resources",
            name,
            docs.resource(name, &schema, identity.as_ref()),
        );
        if let Some(list) = item.any_list_schema() {
            add("list-resources", name, docs.list(name, &schema, &list));
        }
    }
    for item in provider.any_data_sources() {
        let page = docs.plain(item.any_name(), &item.any_schema(), &DATA_SOURCE);
        add("data-sources", item.any_name(), page);
    }
    for item in provider.any_ephemerals() {
        let page = docs.plain(item.any_name(), &item.any_schema(), &EPHEMERAL);
        add("ephemeral-resources", item.any_name(), page);
    }
    for item in provider.any_actions() {
        let page = docs.plain(item.any_name(), &item.any_schema(), &ACTION);
        add("actions", item.any_name(), page);
    }
    for item in provider.any_functions() {
        let page = docs.function(item.any_name(), &item.any_signature());
        add("functions", item.any_name(), page);
    }
    pages
}

/// What a kind of thing is called, and where its example is.
struct Noun {
    title: &'static str,
    folder: &'static str,
    file: &'static str,
}

const DATA_SOURCE: Noun = Noun {
    title: "Data Source",
    folder: "data-sources",
    file: "data-source.tf",
};
const EPHEMERAL: Noun = Noun {
    title: "Ephemeral Resource",
    folder: "ephemeral-resources",
    file: "ephemeral-resource.tf",
};
const ACTION: Noun = Noun {
    title: "Action",
    folder: "actions",
    file: "action.tf",
};
const LIST: Noun = Noun {
    title: "List Resource",
    folder: "list-resources",
    file: "list-resource.tfquery.hcl",
};
const RESOURCE: Noun = Noun {
    title: "Resource",
    folder: "resources",
    file: "resource.tf",
};

struct Docs<'a, P> {
    provider: &'a P,
    examples: &'a Path,
}

impl<P: Provider> Docs<'_, P> {
    fn index(&self) -> String {
        let (name, schema) = (self.provider.name(), self.provider.any_schema());
        let mut page = Page::new(front(&format!("Provider: {name}"), schema.doc()));
        page.heading(1, &format!("{name} Provider"));
        page.text(schema.doc());
        page.example(self.example("provider/provider.tf"), "terraform");
        attributes::section(&mut page, &schema.fields, true);
        page.finish()
    }

    fn resource(&self, name: &str, schema: &Schema, identity: Option<&IdentitySchema>) -> String {
        let mut page = self.begin(name, schema, &RESOURCE);
        attributes::section(&mut page, &schema.fields, false);
        if attributes::has_write_only(&schema.fields) {
            page.text(
                "Write-only attributes need Terraform or OpenTofu 1.11 or later. They reach the provider and are never \
                 stored: change the matching `_version` attribute to give a new value.",
            );
        }
        self.import(&mut page, name, identity);
        page.finish()
    }

    fn import(&self, page: &mut Page, name: &str, identity: Option<&IdentitySchema>) {
        let command = self.example(&format!("resources/{name}/import.sh"));
        let by_id = self.example(&format!("resources/{name}/import-by-string-id.tf"));
        let by_identity = self.example(&format!("resources/{name}/import-by-identity.tf"));
        if command.is_none() && by_id.is_none() && by_identity.is_none() {
            return;
        }
        page.heading(2, "Import");
        if let Some(identity) = identity {
            page.text(
                "Terraform 1.12 and later can import by identity, with an `import` block and these attributes:",
            );
            for (part, attr) in &identity.attrs {
                let need = if attr.required {
                    "required"
                } else {
                    "optional"
                };
                page.item(&format!(
                    "`{part}` ({}, {need}) {}",
                    attributes::noun(&attr.ty),
                    attr.doc
                ));
            }
            page.gap();
            match by_identity {
                Some(example) => page.code(&example, "terraform"),
                None => page.code(&identity_block(name, identity), "terraform"),
            }
        }
        if let Some(example) = by_id {
            page.text("Terraform 1.5 and later can import by id, with an `import` block:");
            page.code(&example, "terraform");
        }
        if let Some(example) = command {
            page.text("Every version can import with the command line:");
            page.code(&example, "shell");
        }
    }

    fn list(&self, name: &str, resource: &Schema, list: &Schema) -> String {
        let mut page = Page::new(front(&self.title(name, &LIST), list.doc()));
        page.heading(1, &format!("{name} ({})", LIST.title));
        page.text(list.doc());
        if list.doc() != resource.doc() {
            page.text(&format!(
                "Lists objects of the resource `{name}`, for `terraform query`."
            ));
        }
        page.example(self.example_of(name, &LIST), "terraform");
        attributes::section(&mut page, &list.fields, true);
        page.finish()
    }

    fn plain(&self, name: &str, schema: &Schema, noun: &Noun) -> String {
        let mut page = self.begin(name, schema, noun);
        attributes::section(&mut page, &schema.fields, noun.folder == ACTION.folder);
        page.finish()
    }

    fn begin(&self, name: &str, schema: &Schema, noun: &Noun) -> Page {
        let mut page = Page::new(front(&self.title(name, noun), schema.doc()));
        page.heading(1, &format!("{name} ({})", noun.title));
        if let Some(why) = &schema.deprecated {
            page.text(&format!("~> **Deprecated.** {why}"));
        }
        page.text(schema.doc());
        page.example(self.example_of(name, noun), "terraform");
        page
    }

    fn function(&self, name: &str, signature: &Signature) -> String {
        let title = format!("{name} function - {}", self.binary());
        let mut page = Page::new(front(&title, &signature.summary));
        page.heading(1, &format!("function: {name}"));
        if let Some(why) = &signature.deprecated {
            page.text(&format!("~> **Deprecated.** {why}"));
        }
        page.text(&signature.doc);
        page.example(
            self.example(&format!("functions/{name}/function.tf")),
            "terraform",
        );
        page.heading(2, "Signature");
        let mut parts: Vec<String> = signature
            .parameters
            .iter()
            .map(|parameter| format!("{} {}", parameter.name, page::hcl(&parameter.ty)))
            .collect();
        if let Some(variadic) = &signature.variadic {
            parts.push(format!("{} {}...", variadic.name, page::hcl(&variadic.ty)));
        }
        let returns = page::hcl(&signature.returns);
        page.code(&format!("{name}({}) {returns}", parts.join(", ")), "text");
        if !parts.is_empty() {
            page.heading(2, "Arguments");
        }
        for parameter in signature.parameters.iter().chain(&signature.variadic) {
            let null = if parameter.nullable { ", Nullable" } else { "" };
            let kind = attributes::noun(&parameter.ty);
            page.item(&format!(
                "`{}` ({kind}{null}) {}",
                parameter.name, parameter.doc
            ));
        }
        page.finish()
    }

    fn title(&self, name: &str, noun: &Noun) -> String {
        format!("{name} {} - {}", noun.title, self.binary())
    }

    fn binary(&self) -> String {
        format!("terraform-provider-{}", self.provider.name())
    }

    fn example_of(&self, name: &str, noun: &Noun) -> Option<String> {
        self.example(&format!("{}/{name}/{}", noun.folder, noun.file))
    }

    fn example(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.examples.join(path)).ok()
    }
}

/// An `import` block with a place for each part of the identity.
fn identity_block(name: &str, identity: &IdentitySchema) -> String {
    let width = identity.attrs.keys().map(String::len).max().unwrap_or(0);
    let parts: Vec<String> = identity
        .attrs
        .keys()
        .map(|part| format!("    {part:width$} = \"…\""))
        .collect();
    format!(
        "import {{\n  to = {name}.example\n  identity = {{\n{}\n  }}\n}}",
        parts.join("\n")
    )
}

#[cfg(test)]
mod tests;
