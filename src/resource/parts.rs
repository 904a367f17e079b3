//! Pieces that several resources share: machines, windows, nodes, names.

use super::values::{Asked, Fit, Strings, parsed, refused, whole};
use crate::plugin::{Attr, Type, Value, int, list, map, object, text};
use crate::site::{self, Endpoint, Id, Machine, Name, Node, Size, Sort, Window};
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
            hour: whole(
                self.hour.must("maintenance_window.hour")?,
                "maintenance_window.hour",
            )?,
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
    Value::Known(
        nodes
            .iter()
            .map(|it| Value::Known(NodeModel::from(it)))
            .collect(),
    )
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
    Id::parse(Sort::Environment, &text)
        .map(|it| it.environment)
        .map_err(|why| refused("environment_id", why))
}

pub fn named(name: &Value<String>, attribute: &str) -> Fit<Name> {
    parsed(&name.must(attribute)?, attribute)
}

pub fn size(text: &str, attribute: &str) -> Fit<Size> {
    Size::ALL
        .into_iter()
        .find(|it| it.as_str() == text)
        .ok_or_else(|| {
            refused(
                attribute,
                format!("`{text}` is none of small, medium, large"),
            )
        })
}

/// `inside` is the object that holds `size` and `flavor`, with its dot ("web."), or empty.
pub fn machine(size_given: &Value<String>, flavor: &Value<String>, inside: &str) -> Fit<Machine> {
    let size = size_given
        .chosen()
        .map(|it| size(&it, &format!("{inside}size")))
        .transpose()?;
    Ok(Machine {
        size,
        flavor: flavor.chosen(),
    })
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
    if config_size.is_null() {
        *size = Value::Known(Size::Small.as_str().to_owned());
    }
    let same_size = prior
        .is_some_and(|(before, _)| before.chosen() == size.chosen() && before.known().is_some());
    *flavor = match prior {
        Some((_, before)) if same_size => before.clone(),
        _ => Value::Unknown,
    };
}

pub fn environment_attr() -> Attr {
    text()
        .required()
        .replace()
        .check_text(environment_id)
        .doc("Id of the environment.")
}
pub fn name_attr(doc: &str) -> Attr {
    let rules = "Lower-case letters, digits and hyphens, at most 40, a letter first.";
    text()
        .replace()
        .check_text(|it| Name::try_from(it.to_owned()).map(drop))
        .doc(format!("{doc} {rules}"))
}
pub fn id_attr(doc: &str) -> Attr {
    text().computed().keep().doc(doc)
}
pub fn status_attr() -> Attr {
    text()
        .computed()
        .keep()
        .doc("`ready`, or `incomplete` where the next apply has something to finish or to mend.")
}
pub fn tags() -> Attr {
    map(Type::String)
        .optional()
        .doc("Tags on every object that can carry them.")
}
pub fn size_attr() -> Attr {
    // The default depends on `flavor`, so it is not the schema's: see `settle_machine`.
    text()
        .optional()
        .computed()
        .one_of(&["small", "medium", "large"])
        .doc("`small`, `medium` or `large`: the cheapest flavor that holds what the role needs is chosen, once. Default: `small`, unless `flavor` is given.")
}
pub fn flavor_attr() -> Attr {
    text()
        .optional()
        .keep()
        .doc("The cloud's own name of a machine type, instead of `size`.")
}
pub fn window_attr() -> Attr {
    object([
        (
            "day",
            text().required().one_of(&DAYS).doc("Day of the week."),
        ),
        (
            "hour",
            int()
                .required()
                .range(0..=23)
                .doc("Hour of the day, 0 to 23."),
        ),
        (
            "timezone",
            timezone_attr("Time zone of that hour.").default("UTC"),
        ),
    ])
    .optional()
    .doc("When the machines may restart by themselves, for security updates.")
}
pub fn timezone_attr(doc: &str) -> Attr {
    text().optional().check_text(timezone).doc(doc)
}
pub fn schedule_attr(doc: &str) -> Attr {
    text()
        .check_text(|it| site::check::schedule_fault(it).map_or(Ok(()), Err))
        .doc(doc)
}
pub fn hostname_attr(doc: &str) -> Attr {
    text().required().check_text(hostname).doc(doc)
}
pub fn hostnames_attr(doc: &str) -> Attr {
    list(Type::String).check_text(hostname).doc(doc)
}
pub fn cidrs_attr(doc: &str) -> Attr {
    list(Type::String).optional().check_text(cidr).doc(doc)
}
/// How many of something; none makes no sense.
pub fn count_attr(doc: impl Into<String>) -> Attr {
    int().optional().range(1..=i64::from(u32::MAX)).doc(doc)
}
pub fn port_attr(doc: &str) -> Attr {
    int().range(1..=65535).doc(doc)
}

const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

pub fn cidr(text: &str) -> Result<(), String> {
    let net: ipnet::Ipv4Net = text
        .parse()
        .map_err(|_| format!("`{text}` is not an IPv4 network such as `10.20.0.0/24`"))?;
    if net.addr() == net.network() {
        return Ok(());
    }
    Err(format!(
        "`{text}` has bits set beyond its prefix; the network is `{}`",
        net.trunc()
    ))
}

pub fn zone(text: &str) -> Result<(), String> {
    match text.strip_suffix('.') {
        Some(name) => hostname(name),
        None => Err(format!("`{text}` lacks the final dot of a zone: `{text}.`")),
    }
}

/// "60s", "5m", "1h".
pub fn duration(text: &str) -> Result<(), String> {
    site::check::seconds(text)
        .map(drop)
        .ok_or_else(|| format!("`{text}` is not a duration such as `60s`, `5m` or `1h`"))
}

fn environment_id(text: &str) -> Result<(), String> {
    Id::parse(Sort::Environment, text).map(drop)
}

fn timezone(text: &str) -> Result<(), String> {
    text.parse::<chrono_tz::Tz>()
        .map(drop)
        .map_err(|_| format!("`{text}` is no time zone; write one like `Europe/Zurich`"))
}

fn hostname(text: &str) -> Result<(), String> {
    site::check::hostname_fault(text, true).map_or(Ok(()), Err)
}
