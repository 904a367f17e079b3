//! One file per Terraform resource: its model, schema, and the way to and from the domain. What all of them do the same
//! way — planning against what exists, making, reading, importing — is in [`lifecycle`], written once.

pub mod backup_policy;
pub mod certificate;
pub mod environment;
pub mod instance;
pub mod service;

mod kept;
mod lifecycle;
mod parts;
mod planning;
mod report;
mod setup;
mod values;

pub use lifecycle::Lifecycle;
pub use parts::count_attr;
pub use setup::{Connected, Setup};

use crate::engine::{Error, Secrets};
use crate::plugin::{Diag, Diags, Schema, Value};
use crate::site::{Finding, Outputs, Sort, Thing};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use values::Fit;

/// What a resource file says of itself; [`Lifecycle`] does the rest.
pub trait Declared: Serialize + DeserializeOwned + Clone + Default + Send + Sync + 'static {
    const NAME: &'static str;
    const SORT: Sort;

    fn schema() -> Schema;

    /// Defaults that depend on other attributes. Runs before [`Declared::thing`].
    fn settle(&mut self, _config: &Self, _prior: Option<&Self>) {}
    /// The domain type. Values that the platform chooses may be unknown; anything else unknown: not yet.
    fn thing(&self) -> Fit<Thing>;
    /// Takes over what was chosen at creation and is kept.
    fn choose(&mut self, thing: &Thing);
    /// What means nothing for the thing that was chosen is as the user wrote it, without defaults.
    fn forgo(&mut self, _config: &Self, _thing: &Thing) {}
    /// Takes over what is computed once the thing stands.
    fn compute(&mut self, thing: &Thing, outputs: &Outputs);
    /// Takes over everything: the way from the domain back, for import.
    fn show(&mut self, thing: &Thing);
    /// What was given through write-only attributes; only a configuration has it.
    fn secrets(&self) -> Secrets;

    /// What depends on how the thing was made last: a certificate's generation.
    fn evolve(_thing: &mut Thing, _before: Option<&Thing>) -> Vec<Finding> {
        Vec::new()
    }
    /// Puts in order what the platform's choices make meaningless.
    fn chosen(_thing: &mut Thing) {}
    /// What must be made before the cloud is asked. `stored`: the secrets of this generation are in the store already.
    fn prepare(_thing: &mut Thing, _secrets: &mut Secrets, _stored: bool) -> Result<(), Error> {
        Ok(())
    }
    /// Rules that need the configuration's secrets.
    fn offline(_config: &Self, _planned: &Self) -> Vec<Finding> {
        Vec::new()
    }
    /// Whether it must not be removed.
    fn protected(&self) -> bool {
        false
    }

    fn names(&self) -> Names<'_>;
    fn id(&mut self) -> &mut Value<String>;
    fn status(&mut self) -> &mut Value<String>;
    fn platform(&mut self) -> Option<&mut Value<String>> {
        None
    }
}

/// What an id is made of.
pub struct Names<'a> {
    /// None for the environment itself.
    pub environment_id: Option<&'a Value<String>>,
    pub name: &'a Value<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Timeouts {
    pub create: Value<String>,
    pub read: Value<String>,
    pub update: Value<String>,
    pub delete: Value<String>,
}

/// The thing is as it should be.
pub const READY: &str = "ready";
/// Something is missing or on its way; the next apply goes on.
pub const INCOMPLETE: &str = "incomplete";

/// The one way from an error below to what Terraform shows.
impl From<&Error> for Diag {
    fn from(error: &Error) -> Self {
        let mut detail = format!("{}.", error.why);
        if let Some(id) = &error.request_id {
            detail = format!("{} (request {id}).", error.why);
        }
        if let Some(next) = &error.remedy {
            detail = format!("{detail}\n\n{next}.");
        }
        let mut summary = error.doing.clone();
        if let Some(first) = summary.get(..1) {
            summary = format!("Could not {}{}", first.to_lowercase(), &summary[1..]);
        }
        located(Diag::error(summary), error.at.as_deref(), detail)
    }
}

impl From<Error> for Diag {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<Error> for Diags {
    fn from(error: Error) -> Self {
        Diag::from(error).into()
    }
}

impl From<Finding> for Diag {
    fn from(finding: Finding) -> Self {
        let diag = if finding.refuses {
            Diag::error(finding.summary)
        } else {
            Diag::warning(finding.summary)
        };
        located(
            diag,
            Some(finding.at.as_str()).filter(|it| !it.is_empty()),
            finding.detail,
        )
    }
}

/// The CLI leaves a path out when the configuration does not have it, so the text names the attribute as well.
fn located(diag: Diag, at: Option<&str>, detail: String) -> Diag {
    let Some(at) = at else {
        return diag.detail(detail);
    };
    let named = if detail.contains(at) {
        detail
    } else {
        format!("{detail}\n\nAttribute: `{at}`.")
    };
    diag.detail(named).at(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flawless<M: Declared>() {
        let flaws = M::schema().lint();
        assert!(flaws.is_empty(), "{}: {flaws:?}", M::NAME);
    }

    #[test]
    fn every_schema_keeps_the_rules() {
        flawless::<environment::Model>();
        flawless::<service::Model>();
        flawless::<certificate::Model>();
        flawless::<instance::Model>();
        flawless::<backup_policy::Model>();
    }

    /// What the model writes is what the schema says, nested objects included.
    #[test]
    fn every_model_has_the_fields_of_its_schema() {
        fn fields<M: Declared>() {
            let written =
                serde_json::to_value(M::default()).expect("a model of nulls can be written");
            let model: Vec<&String> = written
                .as_object()
                .expect("a model is an object")
                .keys()
                .collect();
            let schema = M::schema();
            let mut wanted: Vec<&String> = schema.attrs().keys().collect();
            let mut model = model;
            wanted.sort();
            model.sort();
            assert_eq!(model, wanted, "{}", M::NAME);
        }
        fields::<environment::Model>();
        fields::<service::Model>();
        fields::<certificate::Model>();
        fields::<instance::Model>();
        fields::<backup_policy::Model>();
    }
}
