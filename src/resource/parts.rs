//! Pieces that several resources share: machines, windows, nodes, names.

use super::values::{Asked, Fit, Strings, from_strings, parsed, refused, whole};
use crate::plugin::Value;
use crate::site::{Endpoint, Id, Machine, Name, Node, Size, Sort, Window};
use serde::{Deserialize, Serialize};

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct WindowModel {
    pub day: Value<String>,
    pub hour: Value<i64>,
    pub timezone: Value<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct EndpointModel {
    pub host: Value<String>,
    pub port: Value<i64>,
    pub hosts: Strings,
    pub name: Value<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct NodeModel {
    pub name: Value<String>,
    pub address: Value<String>,
    pub platform_id: Value<String>,
    pub zone: Value<String>,
    pub state: Value<String>,
}

impl WindowModel {
    pub fn domain(&self) -> Fit<Window> {
        Ok(Window {
            day: self.day.must("maintenance_window.day")?,
            hour: whole(self.hour.must("maintenance_window.hour")?, "maintenance_window.hour")?,
            timezone: self.timezone.must("maintenance_window.timezone")?,
        })
    }
}

impl From<&Window> for WindowModel {
    fn from(it: &Window) -> Self {
        Self {
            day: Value::Known(it.day.clone()),
            hour: Value::Known(i64::from(it.hour)),
            timezone: Value::Known(it.timezone.clone()),
        }
    }
}

impl From<&Endpoint> for EndpointModel {
    fn from(it: &Endpoint) -> Self {
        Self {
            host: Value::Known(it.host.clone()),
            port: Value::Known(i64::from(it.port)),
            hosts: Value::Known(it.hosts.iter().cloned().map(Value::Known).collect()),
            name: Value::Known(it.name.clone()),
        }
    }
}

pub fn node_models(nodes: &[Node]) -> Value<Vec<Value<NodeModel>>> {
    Value::Known(nodes.iter().map(|it| Value::Known(NodeModel::from(it))).collect())
}

impl From<&Node> for NodeModel {
    fn from(it: &Node) -> Self {
        Self {
            name: Value::Known(it.name.clone()),
            address: Value::Known(it.address.clone()),
            platform_id: Value::Known(it.platform_id.clone()),
            zone: Value::Known(it.zone.clone()),
            state: Value::Known(it.state.clone()),
        }
    }
}

pub fn environment_of(id: &Value<String>) -> Fit<Name> {
    let text = id.must("environment_id")?;
    Id::parse(Sort::Environment, &text).map(|it| it.environment).map_err(|why| refused("environment_id", why))
}

pub fn named(name: &Value<String>, attribute: &str) -> Fit<Name> {
    parsed(&name.must(attribute)?, attribute)
}

pub fn size(text: &str, attribute: &str) -> Fit<Size> {
    Size::ALL
        .into_iter()
        .find(|it| it.as_str() == text)
        .ok_or_else(|| refused(attribute, format!("`{text}` is none of small, medium, large")))
}

/// `inside` is the object that holds `size` and `flavor`, with its dot ("web."), or empty.
pub fn machine(size_given: &Value<String>, flavor: &Value<String>, inside: &str) -> Fit<Machine> {
    let size = size_given.chosen().map(|it| size(&it, &format!("{inside}size"))).transpose()?;
    Ok(Machine { size, flavor: flavor.chosen() })
}

/// A flavor that the user names stands instead of a size. A flavor that was chosen for a size is chosen anew only when
/// the size changes.
pub fn settle_machine(
    planned: (&mut Value<String>, &mut Value<String>),
    config: (&Value<String>, &Value<String>),
    prior: Option<(&Value<String>, &Value<String>)>,
) {
    let (size, flavor) = planned;
    let (config_size, config_flavor) = config;
    if !config_flavor.is_null() {
        if config_size.is_null() {
            *size = Value::Null;
        }
        return;
    }
    let same_size = prior.is_some_and(|(before, _)| before.chosen() == size.chosen() && before.known().is_some());
    *flavor = match prior {
        Some((_, before)) if same_size => before.clone(),
        _ => Value::Unknown,
    };
}

pub fn environment_attr() -> Attr {
    text().required().replace().doc("Id of the environment.")
}
pub fn name_attr(doc: &str) -> Attr {
    text().replace().check(name).doc(format!("{doc} Lower-case letters, digits and hyphens, at most 40, a letter first."))
}
pub fn id_attr(doc: &str) -> Attr {
    text().computed().keep().doc(doc)
}
pub fn status_attr() -> Attr {
    text().computed().keep().doc("`ready`, or `incomplete` where the next apply has something to finish or to mend.")
}
pub fn tags() -> Attr {
    map(Type::String).optional().doc("Tags on every object that can carry them.")
}
pub fn size_attr() -> Attr {
    text()
        .optional()
        .computed()
        .default("small")
        .one_of(&["small", "medium", "large"])
        .doc("`small`, `medium` or `large`: the cheapest flavor that holds what the role needs is chosen, once.")
}
pub fn flavor_attr() -> Attr {
    text().optional().computed().keep().doc("The cloud's own name of a machine type, instead of `size`.")
}
pub fn window_attr() -> Attr {
    object([
        ("day", text().required().one_of(&DAYS).doc("Day of the week.")),
        ("hour", int().required().check(hour).doc("Hour of the day, 0 to 23.")),
        ("timezone", text().optional().computed().default("UTC").check(timezone).doc("Time zone of that hour.")),
    ])
    .optional()
    .doc("When the machines may restart by themselves, for security updates.")
}

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
