//! What can be said of a configuration offline, from the schema alone. Unknown values are never wrong.

use super::{
    Diag, Diags, Dynamic, Path, Schema, conform, draft,
    draft::Computed,
    schema::{Attr, BlockNesting, Fields, Kind, Nesting, SchemaBlock},
};

/// Checks every value that users wrote, and the rules among them. `write_only` says whether Terraform can hold
/// write-only values back from its state.
pub fn config(schema: &Schema, config: &Dynamic, write_only: bool, diags: &mut Diags) {
    let mut check = Check {
        write_only,
        diags: Diags::new(),
    };
    check.fields(&schema.fields, config, &Path::root());
    diags.extend(check.diags);
    for rule in &schema.rules {
        rule.check(config, diags);
    }
}

impl Attr {
    /// What is wrong with a value, by the attribute's own checks; `one_of` counts for each text of a collection.
    pub(super) fn complaints(&self, value: &Dynamic) -> Vec<String> {
        if !value.is_known() {
            return Vec::new();
        }
        let texts = value
            .items()
            .into_iter()
            .flatten()
            .chain(value.entries().into_iter().flat_map(|map| map.values()))
            .chain([value])
            .filter_map(Dynamic::as_str);
        let mut complaints = Vec::new();
        if !self.one_of.is_empty() {
            let allowed: Vec<String> = self.one_of.iter().map(|text| format!("`{text}`")).collect();
            for text in texts.filter(|text| !self.one_of.iter().any(|one| one == text)) {
                let found = if self.is_secret() {
                    "this".to_owned()
                } else {
                    format!("`{text}`")
                };
                complaints.push(format!("{found} is none of {}", allowed.join(", ")));
            }
        }
        complaints.extend(self.checks.iter().filter_map(|check| check(value).err()));
        complaints
    }

    pub(super) fn is_secret(&self) -> bool {
        self.sensitive || self.write_only
    }
}

struct Check {
    write_only: bool,
    diags: Diags,
}

impl Check {
    fn fields(&mut self, fields: &Fields, value: &Dynamic, path: &Path) {
        if !value.is_known() {
            return;
        }
        for (name, attr) in &fields.attrs {
            self.attribute(attr, value.get(name), &path.clone().attr(name));
        }
        for (name, block) in &fields.blocks {
            self.block(block, value.get(name), &path.clone().attr(name));
        }
    }

    fn attribute(&mut self, attr: &Attr, value: &Dynamic, path: &Path) {
        if attr.required && value.is_null() {
            self.diags.push(
                Diag::error(format!("`{path}` is missing"))
                    .detail("This attribute is required.")
                    .at(path),
            );
        }
        if attr.write_only && !value.is_null() && !self.write_only {
            self.diags.push(
                Diag::error(format!("`{path}` needs Terraform 1.11 or OpenTofu 1.11"))
                    .detail(
                        "It is write-only: the provider gets it, and the state does not. This version of Terraform \
                         would store it.",
                    )
                    .at(path),
            );
        }
        for complaint in attr.complaints(value) {
            self.diags.push(
                Diag::error(format!("`{path}` is not valid"))
                    .detail(format!("{complaint}."))
                    .at(path),
            );
        }
        if let Kind::Nested(nesting, fields) = &attr.kind {
            match nesting {
                Nesting::Single => self.fields(fields, value, path),
                Nesting::List => self.list(fields, value, path),
                Nesting::Set => self.set(fields, value, path),
                Nesting::Map => self.map(fields, value, path),
            }
        }
    }

    fn block(&mut self, block: &SchemaBlock, value: &Dynamic, path: &Path) {
        let fields = &block.fields;
        match block.nesting {
            BlockNesting::Single | BlockNesting::Group => self.fields(fields, value, path),
            BlockNesting::List => self.list(fields, value, path),
            BlockNesting::Set => self.set(fields, value, path),
            BlockNesting::Map => self.map(fields, value, path),
        }
    }

    fn list(&mut self, fields: &Fields, value: &Dynamic, path: &Path) {
        for (index, item) in value.items().into_iter().flatten().enumerate() {
            self.fields(fields, item, &path.clone().index(index as i64));
        }
    }

    /// Terraform would count fewer elements than the user wrote, and refuse the plan with words that help nobody.
    fn twins(&mut self, fields: &Fields, value: &Dynamic, path: &Path) {
        let filled: Vec<Dynamic> = value
            .items()
            .into_iter()
            .flatten()
            .filter(|item| item.is_known())
            .map(|item| draft::draft(fields, item, &Dynamic::Null, Computed::Absent))
            .collect();
        let count = filled.len();
        if conform::without_twins(filled).len() < count {
            self.diags.push(
                Diag::error(format!("Two elements of `{path}` are the same"))
                    .detail("They differ only in defaults that are left out of one and written in the other.")
                    .at(path),
            );
        }
    }

    /// Elements of a set have no address: what is wrong inside is said of the set.
    fn set(&mut self, fields: &Fields, value: &Dynamic, path: &Path) {
        self.twins(fields, value, path);
        for item in value.items().into_iter().flatten() {
            let mut inner = Check {
                write_only: self.write_only,
                diags: Diags::new(),
            };
            inner.fields(fields, item, path);
            self.diags
                .extend(inner.diags.into_iter().map(|diag| diag.at(path)));
        }
    }

    fn map(&mut self, fields: &Fields, value: &Dynamic, path: &Path) {
        for (key, item) in value.entries().into_iter().flatten() {
            self.fields(fields, item, &path.clone().key(key));
        }
    }
}
