//! Damaged messages in great numbers: values in both encodings, and whole requests that the service answers. None may panic,
//! and none may cost memory that lasts.

use super::*;
use crate::plugin::{Type, conform, server::described};
use prost::Message;
use std::time::Instant;

/// As many as `FUZZ_MESSAGES` says, else what a usual run of the tests has time for.
fn wanted(usual: u64) -> u64 {
    let said = std::env::var("FUZZ_MESSAGES").ok();
    said.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// xorshift: the same messages in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn at(&mut self, bytes: &[u8]) -> usize {
        self.below(bytes.len() as u64) as usize
    }
}

/// Bytes that begin a long text, list, map, binary or extension.
const CLAIMS: [u8; 5] = [0xdb, 0xdd, 0xdf, 0xc6, 0xc9];

/// What a bad host, a bad network or a bad mind may do to a message.
fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        if bytes.is_empty() {
            return;
        }
        let at = random.at(bytes);
        match random.below(6) {
            0 => bytes[at] = random.next() as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes.truncate(at + 1),
            3 => bytes.insert(at, CLAIMS[random.below(5) as usize]),
            4 => {
                let end = (at + 1 + random.below(16) as usize).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = random.at(bytes);
                drop(bytes.splice(to..to, piece));
            }
            _ => bytes.extend_from_slice(&random.next().to_le_bytes()),
        }
    }
}

fn config() -> Dynamic {
    let config = val!({
        "name": "a", "tags": ["x", "(unknown)"], "disks": [{"size": 1.5}], "users": {"ann": {"role": "reader"}},
        "rules": [{"port": 80}], "web": {"nodes": 12345678901_u64}, "timeouts": {"create": "5m"}
    });
    conform::object(config, &usual().fields, conform::WriteOnly::Keep).unwrap()
}

#[test]
fn fuzz_values_in_both_encodings() {
    let wanted = wanted(50_000);
    let (began, before) = (Instant::now(), most_memory());
    let ty = usual().object_type();
    let known = filled(config());
    let good = [
        (msgpack::encode(&config(), &ty), true, &ty),
        (
            msgpack::encode(&config(), &Type::Dynamic),
            true,
            &Type::Dynamic,
        ),
        (known.to_json().to_string().into_bytes(), false, &ty),
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut read = 0_u64;
    for round in 0..wanted {
        let (bytes, packed, ty) = &good[(round % 3) as usize];
        let mut bytes = bytes.clone();
        damage(&mut bytes, &mut random);
        let (msgpack, json) = if *packed {
            (bytes, Vec::new())
        } else {
            (Vec::new(), bytes)
        };
        let value = DynamicValue { msgpack, json };
        read += u64::from(described::decode(Some(&value), ty).is_ok());
    }
    assert!(0 < read && read < wanted, "some damage is no harm: {read}");
    report("values", wanted, read, began, before);
}

/// A request of every kind that carries a value, in its encoded form.
fn requests(host: &Host) -> Vec<(Kind, Vec<u8>)> {
    let type_name = || "test_thing".to_owned();
    let value = || host.wire(&config());
    let made = || host.wire(&filled(config()));
    let json = filled(config()).to_json().to_string().into_bytes();
    let raw = || {
        Some(wire::RawState {
            json: json.clone(),
            flatmap: Default::default(),
        })
    };
    let identity = || {
        let id = Dynamic::object([("id", Dynamic::from("a"))]);
        let ty = Type::Object([("id".to_owned(), Type::String)].into());
        Some(wire::ResourceIdentityData {
            identity_data: Some(described::encode(&id, &ty)),
        })
    };
    let client = Some(wire::ClientCapabilities {
        deferral_allowed: true,
        write_only_attributes_allowed: true,
    });
    let validate = wire::validate_resource_config::Request {
        type_name: type_name(),
        config: value(),
        client_capabilities: client,
    };
    let plan = wire::plan_resource_change::Request {
        type_name: type_name(),
        prior_state: made(),
        proposed_new_state: value(),
        config: value(),
        prior_private: b"{}".to_vec(),
        prior_identity: identity(),
        client_capabilities: client,
        ..Default::default()
    };
    let apply = wire::apply_resource_change::Request {
        type_name: type_name(),
        planned_state: value(),
        config: value(),
        planned_private: b"{}".to_vec(),
        planned_identity: identity(),
        ..Default::default()
    };
    let read = wire::read_resource::Request {
        type_name: type_name(),
        current_state: made(),
        current_identity: identity(),
        client_capabilities: client,
        ..Default::default()
    };
    let upgrade = wire::upgrade_resource_state::Request {
        type_name: type_name(),
        version: 1,
        raw_state: raw(),
    };
    let import = wire::import_resource_state::Request {
        type_name: type_name(),
        identity: identity(),
        ..Default::default()
    };
    let moved = wire::move_resource_state::Request {
        source_type_name: "other_thing".into(),
        source_state: raw(),
        target_type_name: type_name(),
        ..Default::default()
    };
    let generate = wire::generate_resource_config::Request {
        type_name: type_name(),
        state: made(),
    };
    let region = Dynamic::object([("region", Dynamic::from("north"))]);
    let ty = Type::Object([("region".to_owned(), Type::String)].into());
    let configure = wire::configure_provider::Request {
        terraform_version: "1.16.0".into(),
        config: Some(described::encode(&region, &ty)),
        client_capabilities: client,
    };
    vec![
        (Kind::Validate, validate.encode_to_vec()),
        (Kind::Plan, plan.encode_to_vec()),
        (Kind::Apply, apply.encode_to_vec()),
        (Kind::Read, read.encode_to_vec()),
        (Kind::Upgrade, upgrade.encode_to_vec()),
        (Kind::Import, import.encode_to_vec()),
        (Kind::Move, moved.encode_to_vec()),
        (Kind::Generate, generate.encode_to_vec()),
        (Kind::Configure, configure.encode_to_vec()),
    ]
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Validate,
    Plan,
    Apply,
    Read,
    Upgrade,
    Import,
    Move,
    Generate,
    Configure,
}

/// What the service says to a request, or nothing where the bytes are no request.
async fn answer(server: &Server, kind: Kind, bytes: &[u8]) -> Option<Vec<wire::Diagnostic>> {
    macro_rules! call {
        ($module:ident, $rpc:ident) => {{
            let request = wire::$module::Request::decode(bytes).ok()?;
            let answer = server.$rpc(Request::new(request)).await;
            answer
                .expect("an answer, whatever comes")
                .into_inner()
                .diagnostics
        }};
    }
    Some(match kind {
        Kind::Validate => call!(validate_resource_config, validate_resource_config),
        Kind::Plan => call!(plan_resource_change, plan_resource_change),
        Kind::Apply => call!(apply_resource_change, apply_resource_change),
        Kind::Read => call!(read_resource, read_resource),
        Kind::Upgrade => call!(upgrade_resource_state, upgrade_resource_state),
        Kind::Import => call!(import_resource_state, import_resource_state),
        Kind::Move => call!(move_resource_state, move_resource_state),
        Kind::Generate => call!(generate_resource_config, generate_resource_config),
        Kind::Configure => call!(configure_provider, configure_provider),
    })
}

#[tokio::test]
async fn fuzz_whole_requests() {
    let wanted = wanted(20_000);
    let thing = Thing::new(usual()).identity();
    let met = thing.met.clone();
    let host = Host::new(thing);
    let good = requests(&host);
    let (began, before) = (Instant::now(), most_memory());
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut read = 0_u64;
    for round in 0..wanted {
        let (kind, bytes) = &good[(round % good.len() as u64) as usize];
        let mut bytes = bytes.clone();
        damage(&mut bytes, &mut random);
        let Some(diagnostics) = answer(&host.server, *kind, &bytes).await else {
            continue;
        };
        read += 1;
        // The resource of these tests keeps what it met; what is measured here is what the runtime keeps.
        met.lock().expect("nothing panics").clear();
        for diagnostic in diagnostics {
            // A damaged request may well ask for what breaks a rule, such as another identity; that is told, too.
            let panicked = diagnostic.summary.starts_with("The provider failed while");
            assert!(!panicked, "{kind:?} {bytes:?}: {diagnostic:?}");
        }
    }
    assert!(0 < read && read < wanted, "some damage is no harm: {read}");
    report("whole requests", wanted, read, began, before);
}

/// The most memory that this process has held, in KiB.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}

fn report(what: &str, wanted: u64, read: u64, began: Instant, before: u64) {
    // The kernel counts by processor, and may find a little less than it did before.
    let grown = most_memory().saturating_sub(before);
    eprintln!(
        "fuzz, {what}: {wanted} messages, {read} of them could be read, no panic; {:.0} s, {grown} KiB more memory",
        began.elapsed().as_secs_f64()
    );
    // In a usual run other tests use memory at the same time.
    if std::env::var_os("FUZZ_MESSAGES").is_some() {
        assert!(grown < 64 << 10, "{grown} KiB more than before");
    }
}
