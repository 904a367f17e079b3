//! The calls that terraform makes for a plan, over gRPC and mutual TLS, without terraform: what the provider alone takes.

use std::fs;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use tonic::transport::Channel;

use crate::contender::Contender;
use crate::figures::{Goal, Row, print};
use crate::plugin::host::Process;
use crate::plugin::messages6 as pb;
use crate::plugin::value::Val;
use crate::plugin::wire::tfplugin6::provider_client::ProviderClient;
use crate::thing;

/// As many calls as terraform has under way.
const AT_ONCE: usize = 10;

/// GetProviderSchema of a process that has answered it before.
pub async fn schemas(ours: &Contender, product: &Contender, peer: Option<&Contender>) {
    let mut row = Row::new("GetProviderSchema, warm", "ms");
    let mut own = Row::new("the product's", "ms");
    let mut clients = Vec::new();
    for contender in [Some(ours), Some(product), peer].into_iter().flatten() {
        let process = contender.launch().start().await;
        clients.push((client(&process).await, process));
    }
    for round in 0..51 {
        let mut took = Vec::new();
        for (client, _) in &mut clients {
            let began = Instant::now();
            let answer = client.get_provider_schema(pb::get_provider_schema::Request {});
            let answer = answer.await.unwrap().into_inner();
            took.push(began.elapsed().as_secs_f64() * 1e3);
            assert!(answer.diagnostics.is_empty() && !answer.resource_schemas.is_empty());
        }
        // The first answer is not warm yet.
        if round > 0 {
            row.round(took[0], took.get(2).copied());
            own.round(took[1], None);
        }
    }
    print(&row, &[]);
    print(&own, &[Goal::Most(2.0)]);
    for (_, process) in clients {
        process.shutdown().await;
    }
}

/// A plan of `count` things that are to be made, and one of things that are there: time, CPU and memory.
pub async fn plans(ours: &Contender, peer: Option<&Contender>, count: usize, rounds: usize) {
    let things = Things::new(count);
    let row = |what: &str, unit| Row::new(format!("{what} of {count}"), unit);
    let (mut plan, mut empty) = (row("plan", "ms"), row("empty plan", "ms"));
    let (mut cpu, mut peak) = (row("CPU of both", "ms"), row("peak memory", "MiB"));
    for _ in 0..rounds {
        let one = measured(ours, &things).await;
        let other = match peer {
            Some(peer) => Some(measured(peer, &things).await),
            None => None,
        };
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        plan.round(ms(one.plan), other.map(|it| ms(it.plan)));
        empty.round(ms(one.empty), other.map(|it| ms(it.empty)));
        cpu.round(ms(one.cpu), other.map(|it| ms(it.cpu)));
        peak.round(one.peak, other.map(|it| it.peak));
    }
    print(&plan, &[Goal::Ratio(1.0)]);
    print(&empty, &[Goal::Ratio(1.0)]);
    print(&cpu, &[]);
    print(&peak, &[Goal::Most(20.0)]);
}

/// Requests, encoded before the clock runs.
struct Things {
    configs: Vec<Vec<u8>>,
    states: Vec<Vec<u8>>,
    stored: Vec<Vec<u8>>,
}

impl Things {
    fn new(count: usize) -> Self {
        let wire = |json: serde_json::Value| Val::from_json(&json).to_msgpack();
        Self {
            configs: (0..count).map(|at| wire(thing::config(at))).collect(),
            states: (0..count).map(|at| wire(thing::state(at))).collect(),
            stored: (0..count)
                .map(|at| thing::state(at).to_string().into_bytes())
                .collect(),
        }
    }
}

#[derive(Clone, Copy)]
struct Measured {
    plan: Duration,
    empty: Duration,
    cpu: Duration,
    peak: f64,
}

async fn measured(contender: &Contender, things: &Things) -> Measured {
    let process = contender.launch().start().await;
    let mut client = client(&process).await;
    let schema = client.get_provider_schema(pb::get_provider_schema::Request {});
    schema.await.unwrap();
    let none = if contender.name == "peer" {
        Val::Map(Default::default())
    } else {
        Val::from_json(&serde_json::json!({ "folder": null, "token": null }))
    };
    let configure = pb::configure_provider::Request {
        config: Some(none.to_wire()),
        ..Default::default()
    };
    let configured = client.configure_provider(configure).await.unwrap();
    well(&configured.into_inner().diagnostics);

    let type_name = format!("{}_bench", contender.name);
    let count = things.configs.len();
    let before = cpu_time(process.pid());
    let began = Instant::now();
    each(count, |at| {
        let (client, type_name) = (client.clone(), type_name.clone());
        async move { made(client, type_name, things, at).await }
    })
    .await;
    let plan = began.elapsed();
    let began = Instant::now();
    each(count, |at| {
        let (client, type_name) = (client.clone(), type_name.clone());
        async move { left_alone(client, type_name, things, at).await }
    })
    .await;
    let empty = began.elapsed();
    let measured = Measured {
        plan,
        empty,
        cpu: cpu_time(process.pid()) - before,
        peak: peak_memory(process.pid()),
    };
    process.shutdown().await;
    measured
}

async fn each<F: Future<Output = ()>>(count: usize, call: impl Fn(usize) -> F) {
    let calls = stream::iter((0..count).map(call));
    calls.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

type Client = ProviderClient<Channel>;

/// Null: what Terraform sends for an object that is not there, and as the meta of a provider that has none.
const NOTHING: &[u8] = &[0xc0];

async fn made(mut client: Client, type_name: String, things: &Things, at: usize) {
    let config = &things.configs[at];
    validated(&mut client, &type_name, config).await;
    let answer = planned(&mut client, type_name, NOTHING, config, config).await;
    let state = Val::decode(answer.planned_state.as_ref().unwrap()).unwrap();
    assert_eq!(*state.get("id"), Val::Unknown);
}

async fn left_alone(mut client: Client, type_name: String, things: &Things, at: usize) {
    let (config, state) = (&things.configs[at], &things.states[at]);
    let upgrade = pb::upgrade_resource_state::Request {
        type_name: type_name.clone(),
        version: 0,
        raw_state: Some(pb::RawState {
            json: things.stored[at].clone(),
            ..Default::default()
        }),
    };
    let upgraded = client.upgrade_resource_state(upgrade).await.unwrap();
    well(&upgraded.into_inner().diagnostics);
    let read = pb::read_resource::Request {
        type_name: type_name.clone(),
        current_state: Some(wire(state)),
        provider_meta: Some(wire(NOTHING)),
        ..Default::default()
    };
    let read = client.read_resource(read).await.unwrap();
    well(&read.into_inner().diagnostics);
    validated(&mut client, &type_name, config).await;
    let answer = planned(&mut client, type_name, state, config, state).await;
    let planned = Val::decode(answer.planned_state.as_ref().unwrap()).unwrap();
    assert_eq!(planned, Val::from_msgpack(state).unwrap(), "an empty plan");
}

async fn validated(client: &mut Client, type_name: &str, config: &[u8]) {
    let request = pb::validate_resource_config::Request {
        type_name: type_name.into(),
        config: Some(wire(config)),
        ..Default::default()
    };
    let answer = client.validate_resource_config(request).await.unwrap();
    well(&answer.into_inner().diagnostics);
}

async fn planned(
    client: &mut Client,
    type_name: String,
    prior: &[u8],
    config: &[u8],
    proposed: &[u8],
) -> pb::plan_resource_change::Response {
    let request = pb::plan_resource_change::Request {
        type_name,
        prior_state: Some(wire(prior)),
        proposed_new_state: Some(wire(proposed)),
        config: Some(wire(config)),
        provider_meta: Some(wire(NOTHING)),
        ..Default::default()
    };
    let answer = client.plan_resource_change(request).await;
    let answer = answer.unwrap().into_inner();
    well(&answer.diagnostics);
    answer
}

async fn client(process: &Process) -> Client {
    ProviderClient::new(process.connect().await).max_decoding_message_size(usize::MAX)
}

fn wire(msgpack: &[u8]) -> pb::DynamicValue {
    pb::DynamicValue {
        msgpack: msgpack.to_vec(),
        json: Vec::new(),
    }
}

fn well(diagnostics: &[pb::Diagnostic]) {
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
}

/// What all threads of a process have had of the processors.
fn cpu_time(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten();
    let times = threads.flatten().filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(times.sum())
}

/// The most memory that a process has held, in MiB.
fn peak_memory(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}
