//! The way into the simulator: its settings as users write them.

use super::{Effect, Fault, Settings, Verb, open};
use crate::engine::{Error, Result};
use crate::platform::{Common, Given, Hosted, Offer, Platform, Setting, Shape};
use crate::site::check;
use futures::{FutureExt, future::BoxFuture};
use std::{sync::Arc, time::Duration};

pub const OFFER: Offer = Offer {
    name: "simulator",
    doc: "A cloud in one SQLite file, for trying out and for the tests of a module: no account, nothing on the network.",
    settings: SETTINGS,
    connect,
};

const SETTINGS: &[Setting] = &[
    Setting::new(
        "path",
        Shape::Text,
        "Its file. Default: `.invenioils/simulator.sqlite` below the working directory.",
    ),
    Setting::new(
        "region",
        Shape::Text,
        "One of `one`, `two`, `three`. Default: `one`.",
    ),
    Setting::new(
        "latency",
        Shape::Text,
        "How long things take: a call a hundredth of it, a volume once, a machine three times, a load balancer four times. Default: `0s`.",
    ),
    Setting::new(
        "quota",
        Shape::WholeMap,
        "Limits: `machines`, `cores`, `ram_mib`, `volumes`, `gigabytes`, `networks`, `ports`, `addresses`, `balancers`, `buckets`. What is not named has no limit.",
    ),
    Setting::new("faults", Shape::List(FAULT), "What goes wrong, to order."),
];

const FAULT: &[Setting] = &[
    Setting::new(
        "kind",
        Shape::Text,
        "Objects of this kind (`machine`, `volume`, …). Default: any.",
    ),
    Setting::new(
        "step",
        Shape::Text,
        "Objects whose step name contains this. Default: any.",
    ),
    Setting::new(
        "verb",
        Shape::OneOf(&["find", "create", "update", "delete"]),
        "Which call. Default: `create`.",
    ),
    Setting::new(
        "effect",
        Shape::OneOf(&[
            "busy",
            "refused",
            "cut",
            "lost",
            "missing",
            "hangs",
            "hangs_after",
            "slow",
            "stuck",
            "breaks",
        ]),
        "What happens: `busy` (try again later), `refused`, `cut` (before anything is done), `lost` (done, the answer is lost), `missing`, `hangs`, `hangs_after`, `slow`, `stuck` (never ready), `breaks` (fails before it is ready). Default: `refused`.",
    ),
    Setting::new(
        "length",
        Shape::Text,
        "How long `slow` takes. Default: `10s`.",
    ),
    Setting::new(
        "times",
        Shape::Whole,
        "How often, over all processes that share the file. Default: always.",
    ),
    Setting::new(
        "skip",
        Shape::Whole,
        "So many calls pass before the first that goes wrong. Default: 0.",
    ),
];

fn connect(given: Given, _common: Common) -> BoxFuture<'static, Result<Arc<dyn Platform>>> {
    async move {
        let simulator = open(settings(&given)?).await?;
        Ok(Arc::new(Hosted::new(simulator)) as Arc<dyn Platform>)
    }
    .boxed()
}

fn settings(given: &Given) -> Result<Settings> {
    let default = Settings::default();
    Ok(Settings {
        path: given.text("path").map_or(default.path, Into::into),
        region: given.text("region").unwrap_or(default.region),
        latency: length(given, "latency", "simulator.latency")?.unwrap_or(default.latency),
        quota: given.wholes("quota"),
        faults: given
            .list("faults")
            .iter()
            .map(fault)
            .collect::<Result<_>>()?,
    })
}

fn fault(given: &Given) -> Result<Fault> {
    let verb = match given.text("verb").as_deref() {
        Some("find") => Verb::Find,
        Some("update") => Verb::Update,
        Some("delete") => Verb::Delete,
        _ => Verb::Create,
    };
    let length = length(given, "length", "simulator.faults")?.unwrap_or(Duration::from_secs(10));
    let word = given.text("effect").unwrap_or_else(|| "refused".to_owned());
    let effect = Effect::parse(&word, length).ok_or_else(|| {
        Error::fatal("set the simulator up", format!("`{word}` is no effect"))
            .at("simulator.faults")
    })?;
    Ok(Fault {
        kind: given.text("kind"),
        step: given.text("step"),
        verb,
        effect,
        times: given.whole("times").and_then(|it| it.try_into().ok()),
        skip: given
            .whole("skip")
            .and_then(|it| it.try_into().ok())
            .unwrap_or(0),
    })
}

/// "200ms", "5s", "1m30s".
fn length(given: &Given, name: &str, at: &str) -> Result<Option<Duration>> {
    let Some(text) = given.text(name) else {
        return Ok(None);
    };
    let length = match text.strip_suffix("ms") {
        Some(number) => number.parse().ok().map(Duration::from_millis),
        None => check::seconds(&text).map(Duration::from_secs),
    };
    let why = || {
        Error::fatal(
            "set the simulator up",
            format!("`{text}` is not a length of time such as `200ms`, `5s` or `1m30s`"),
        )
        .at(at)
    };
    length.map(Some).ok_or_else(why)
}
