//! Terraform's rules for plans and results, held against our own answers before they are sent. Mends nothing.

mod applied;

pub use applied::applied;

use super::{
    Diag, Dynamic, Path,
    schema::{Attr, BlockNesting, Fields, Kind, Nesting, SchemaBlock},
};

/// A rule that an answer breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// `P2`, `A1`, …
    pub rule: &'static str,
    pub path: Path,
    pub what: &'static str,
}

impl Broken {
    fn new(rule: &'static str, path: &Path, what: &'static str) -> Broken {
        Broken {
            rule,
            path: path.clone(),
            what,
        }
    }

    /// For the user, who can only report it; `name` is the type of the resource.
    pub fn diag(&self, name: &str) -> Diag {
        let place = if self.path.is_root() {
            String::new()
        } else {
            format!(" at `{}`", self.path)
        };
        Diag::error(format!("The provider broke rule {} for `{name}`{place}", self.rule))
            .detail(format!(
                "{}. Terraform would have refused this answer. This is a mistake in the provider; please report it.",
                self.what
            ))
            .at(&self.path)
    }
}

/// P1 to P7: what may be planned for this configuration. Types have been checked before.
pub fn plan(fields: &Fields, config: &Dynamic, prior: &Dynamic, planned: &Dynamic) -> Vec<Broken> {
    let mut rules = Rules::default();
    if config.is_null() != planned.is_null() {
        rules.broken(
            "P1",
            &Path::root(),
            "Planned an object without a configuration, or none for one",
        );
    } else if planned.is_unknown() {
        rules.broken(
            "P1",
            &Path::root(),
            "Planned an object that is unknown as a whole",
        );
    } else if !planned.is_null() {
        rules.fields(fields, config, prior, planned, &Path::root());
    }
    rules.found
}

/// The first place that is unknown though everything must be known, under the rule of that call.
pub fn wholly_known(rule: &'static str, value: &Dynamic) -> Option<Broken> {
    let path = unknown_at(value, &Path::root())?;
    Some(Broken::new(
        rule,
        &path,
        "Left a value unknown where Terraform needs it",
    ))
}

fn unknown_at(value: &Dynamic, path: &Path) -> Option<Path> {
    match value.inner() {
        Dynamic::Unknown => Some(path.clone()),
        Dynamic::List(items) | Dynamic::Tuple(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| unknown_at(item, &path.clone().index(index as i64))),
        Dynamic::Set(items) => items
            .iter()
            .find_map(|item| unknown_at(item, path))
            .map(|_| path.clone()),
        Dynamic::Map(items) => items
            .iter()
            .find_map(|(key, item)| unknown_at(item, &path.clone().key(key))),
        Dynamic::Object(items) => items
            .iter()
            .find_map(|(name, item)| unknown_at(item, &path.clone().attr(name))),
        _ => None,
    }
}

#[derive(Default)]
struct Rules {
    found: Vec<Broken>,
}

impl Rules {
    fn broken(&mut self, rule: &'static str, path: &Path, what: &'static str) {
        self.found.push(Broken::new(rule, path, what));
    }

    fn fields(
        &mut self,
        fields: &Fields,
        config: &Dynamic,
        prior: &Dynamic,
        planned: &Dynamic,
        path: &Path,
    ) {
        for (name, attr) in &fields.attrs {
            let path = path.clone().attr(name);
            self.attribute(
                attr,
                config.get(name),
                prior.get(name),
                planned.get(name),
                &path,
            );
        }
        for (name, block) in &fields.blocks {
            let path = path.clone().attr(name);
            self.block(
                block,
                config.get(name),
                prior.get(name),
                planned.get(name),
                &path,
            );
        }
    }

    fn attribute(
        &mut self,
        attr: &Attr,
        config: &Dynamic,
        prior: &Dynamic,
        planned: &Dynamic,
        path: &Path,
    ) {
        if attr.write_only {
            if !planned.is_null() {
                self.broken("P5", path, "Planned a write-only value");
            }
            return;
        }
        if planned == config {
            return;
        }
        if config.is_null() {
            if !attr.computed && !planned.is_null() {
                self.broken("P3", path, "Planned a value for what only users may set");
            }
            return;
        }
        if !prior.is_null() && planned == prior {
            return;
        }
        match &attr.kind {
            Kind::Nested(nesting, fields) if config.is_known() => {
                if planned.is_known() {
                    self.nested(*nesting, fields, config, prior, planned, path);
                } else {
                    self.broken(
                        "P6",
                        path,
                        "Planned null or unknown for what the user wrote",
                    );
                }
            }
            _ => self.broken("P2", path, "Planned another value than the user wrote"),
        }
    }

    fn nested(
        &mut self,
        nesting: Nesting,
        fields: &Fields,
        config: &Dynamic,
        prior: &Dynamic,
        planned: &Dynamic,
        path: &Path,
    ) {
        match nesting {
            Nesting::Single => self.fields(fields, config, prior, planned, path),
            Nesting::List => self.list("P6", fields, config, prior, planned, path),
            Nesting::Map => self.map("P6", fields, config, prior, planned, path),
            Nesting::Set => self.set("P6", config, planned, path),
        }
    }

    fn block(
        &mut self,
        block: &SchemaBlock,
        config: &Dynamic,
        prior: &Dynamic,
        planned: &Dynamic,
        path: &Path,
    ) {
        let single = block.nesting == BlockNesting::Single;
        if config.is_unknown() {
            if !planned.is_unknown() {
                self.broken(
                    "P7",
                    path,
                    "Planned something for blocks that are not known yet",
                );
            }
            return;
        }
        if planned.is_unknown() || (planned.is_null() && !single) {
            self.broken("P7", path, "Planned null or unknown for blocks");
            return;
        }
        if single && config.is_null() != planned.is_null() {
            self.broken(
                "P7",
                path,
                "Planned a block that is not written, or none for one that is",
            );
            return;
        }
        let fields = &block.fields;
        match block.nesting {
            BlockNesting::Single if planned.is_null() => {}
            BlockNesting::Single | BlockNesting::Group => {
                self.fields(fields, config, prior, planned, path);
            }
            BlockNesting::List => self.list("P7", fields, config, prior, planned, path),
            BlockNesting::Map => self.map("P7", fields, config, prior, planned, path),
            BlockNesting::Set => self.set("P7", config, planned, path),
        }
    }

    fn list(
        &mut self,
        rule: &'static str,
        fields: &Fields,
        config: &Dynamic,
        prior: &Dynamic,
        planned: &Dynamic,
        path: &Path,
    ) {
        let config = config.items().unwrap_or_default();
        let planned = planned.items().unwrap_or_default();
        if config.len() != planned.len() {
            self.broken(
                rule,
                path,
                "Planned another number of elements than the user wrote",
            );
            return;
        }
        let prior = prior.items().unwrap_or_default();
        for (index, (config, planned)) in config.iter().zip(planned).enumerate() {
            let path = path.clone().index(index as i64);
            let prior = prior.get(index).unwrap_or(&Dynamic::Null);
            self.element(rule, fields, config, prior, planned, &path);
        }
    }

    fn map(
        &mut self,
        rule: &'static str,
        fields: &Fields,
        config: &Dynamic,
        prior: &Dynamic,
        planned: &Dynamic,
        path: &Path,
    ) {
        let (Some(config), Some(planned)) = (config.entries(), planned.entries()) else {
            return;
        };
        if !config.keys().eq(planned.keys()) {
            self.broken(rule, path, "Planned other keys than the user wrote");
            return;
        }
        for ((key, config), planned) in config.iter().zip(planned.values()) {
            let path = path.clone().key(key);
            self.element(rule, fields, config, prior.get(key), planned, &path);
        }
    }

    fn element(
        &mut self,
        rule: &'static str,
        fields: &Fields,
        config: &Dynamic,
        prior: &Dynamic,
        planned: &Dynamic,
        path: &Path,
    ) {
        if config.is_known() != planned.is_known() {
            self.broken(
                rule,
                path,
                "Planned null or unknown for an element, or the reverse",
            );
        } else if config.is_known() {
            self.fields(fields, config, prior, planned, path);
        } else if config != planned {
            self.broken(rule, path, "Planned another element than the user wrote");
        }
    }

    /// Elements of sets cannot be told apart; only their number can be wrong.
    fn set(&mut self, rule: &'static str, config: &Dynamic, planned: &Dynamic, path: &Path) {
        let count = |value: &Dynamic| value.items().map_or(0, <[Dynamic]>::len);
        if config.is_wholly_known() && planned.is_wholly_known() && count(config) != count(planned)
        {
            self.broken(
                rule,
                path,
                "Planned another number of elements than the user wrote",
            );
        }
    }
}
