//! Rules among attributes: what must, and must not, be set together. Only looks; reports are made at validation.

use crate::plugin::{Diag, Diags, Dynamic, Path};

#[derive(Clone, Debug)]
pub enum Rule {
    ExactlyOneOf(Vec<Path>),
    AtLeastOneOf(Vec<Path>),
    Conflicts(Vec<Path>),
    Requires(Path, Vec<Path>),
}

impl Rule {
    pub fn exactly_one_of(names: &[&str]) -> Rule {
        Rule::ExactlyOneOf(paths(names))
    }

    pub fn at_least_one_of(names: &[&str]) -> Rule {
        Rule::AtLeastOneOf(paths(names))
    }

    pub fn conflicts(names: &[&str]) -> Rule {
        Rule::Conflicts(paths(names))
    }

    pub fn requires(name: &str, others: &[&str]) -> Rule {
        Rule::Requires(name.into(), paths(others))
    }

    pub(in crate::plugin) fn paths(&self) -> Vec<&Path> {
        match self {
            Rule::ExactlyOneOf(paths) | Rule::AtLeastOneOf(paths) | Rule::Conflicts(paths) => {
                paths.iter().collect()
            }
            Rule::Requires(path, others) => std::iter::once(path).chain(others).collect(),
        }
    }

    /// Reports what is certainly wrong: an unknown value may turn out to be null, or not.
    pub(in crate::plugin) fn check(&self, config: &Dynamic, diags: &mut Diags) {
        match self {
            Rule::ExactlyOneOf(paths) => {
                at_most_one(paths, config, diags);
                at_least_one(paths, config, "exactly one", diags);
            }
            Rule::AtLeastOneOf(paths) => at_least_one(paths, config, "at least one", diags),
            Rule::Conflicts(paths) => at_most_one(paths, config, diags),
            Rule::Requires(path, others) => {
                if !is_set(config, path) {
                    return;
                }
                for other in others.iter().filter(|other| is_missing(config, other)) {
                    diags.push(
                        Diag::error(format!("`{path}` needs `{other}`"))
                            .detail(format!("Set `{other}` as well, or leave `{path}` out."))
                            .at(path),
                    );
                }
            }
        }
    }
}

fn paths(names: &[&str]) -> Vec<Path> {
    names.iter().map(|&name| Path::from(name)).collect()
}

fn is_set(config: &Dynamic, path: &Path) -> bool {
    config.at(path).is_some_and(Dynamic::is_known)
}

/// Certainly not set: null, or inside something null.
fn is_missing(config: &Dynamic, path: &Path) -> bool {
    let mut here = config;
    for step in path.steps() {
        if here.is_unknown() {
            return false;
        }
        match here.at(&Path::root().step(step.clone())) {
            Some(next) => here = next,
            None => return true,
        }
    }
    here.is_null()
}

fn at_most_one(paths: &[Path], config: &Dynamic, diags: &mut Diags) {
    let set: Vec<&Path> = paths.iter().filter(|path| is_set(config, path)).collect();
    if let [first, others @ ..] = set.as_slice() {
        for other in others {
            diags.push(
                Diag::error(format!("`{other}` conflicts with `{first}`"))
                    .detail(format!("Only one of {} may be set.", listed(paths)))
                    .at(*other),
            );
        }
    }
}

fn at_least_one(paths: &[Path], config: &Dynamic, how_many: &str, diags: &mut Diags) {
    if paths.iter().all(|path| is_missing(config, path)) {
        let diag = Diag::error(format!("{how_many} of {} must be set", listed(paths)))
            .detail("None of them is set.");
        // A path leads Terraform to the place only if the parent stands in the configuration.
        let parent = paths.first().and_then(Path::parent).unwrap_or_default();
        diags.push(diag.at(parent));
    }
}

fn listed(paths: &[Path]) -> String {
    let names: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
    names.join(", ")
}
