//! Hostile bytes in the place of requests, to every call of the running binary: it answers, lives on, and holds no memory.

use prost::Message;
use prost::bytes::{Buf, BufMut};
use tonic::Status;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;

use super::host::{Launch, Process};
use super::messages6 as pb;
use super::value::{Val, obj};

/// Messages as they are: bytes.
#[derive(Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut item = vec![0; bytes.remaining()];
        bytes.copy_to_slice(&mut item);
        Ok(Some(item))
    }
}

/// xorshift: the same messages in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// The name of a call and a good request for it.
// Some requests have no field that is not given, and others do.
#[allow(clippy::needless_update)]
fn requests() -> Vec<(&'static str, Vec<u8>)> {
    let thing = obj! { "id" => "thing-x", "name" => "x", "size" => 3, "note" => Val::Null, "revision" => 1 };
    let config = obj! { "id" => Val::Null, "name" => "x", "size" => 3, "note" => "n", "revision" => Val::Null };
    let name = || "corner_thing".to_owned();
    let config = || Some(config.to_wire());
    let state = || Some(thing.to_wire());
    let raw = || {
        Some(pb::RawState {
            json: thing.to_json().to_string().into_bytes(),
            ..Default::default()
        })
    };
    let echo = obj! { "value" => Val::Dynamic("[\"list\",\"number\"]".into(), Box::new(vec![1, 2].into())), "greeting" => "hi", "text" => Val::Null };
    let arguments = ["-", "a", "b"].map(|text| Val::from(text).to_wire());
    let ring = || Some(obj! { "times" => 1 }.to_wire());
    let token = obj! { "user" => "ada", "renews" => Val::Null, "token" => Val::Null };
    macro_rules! request {
        ($module:ident { $($fields:tt)* }) => {
            pb::$module::Request { $($fields)*, ..Default::default() }.encode_to_vec()
        };
    }
    vec![
        (
            "ValidateResourceConfig",
            request!(validate_resource_config {
                type_name: name(),
                config: config()
            }),
        ),
        (
            "UpgradeResourceState",
            request!(upgrade_resource_state {
                type_name: name(),
                version: 2,
                raw_state: raw()
            }),
        ),
        (
            "ReadResource",
            request!(read_resource {
                type_name: name(),
                current_state: state()
            }),
        ),
        (
            "PlanResourceChange",
            request!(plan_resource_change {
                type_name: name(),
                prior_state: state(),
                config: config(),
                proposed_new_state: config()
            }),
        ),
        (
            "ApplyResourceChange",
            request!(apply_resource_change {
                type_name: name(),
                planned_state: config(),
                config: config()
            }),
        ),
        (
            "ImportResourceState",
            request!(import_resource_state {
                type_name: name(),
                id: "thing-x".into()
            }),
        ),
        (
            "MoveResourceState",
            request!(move_resource_state {
                source_type_name: "corner_other".into(),
                source_state: raw(),
                target_type_name: name()
            }),
        ),
        (
            "GenerateResourceConfig",
            request!(generate_resource_config {
                type_name: name(),
                state: state()
            }),
        ),
        (
            "ReadDataSource",
            request!(read_data_source {
                type_name: "corner_echo".into(),
                config: Some(echo.to_wire())
            }),
        ),
        (
            "CallFunction",
            request!(call_function {
                name: "join".into(),
                arguments: arguments.into()
            }),
        ),
        (
            "OpenEphemeralResource",
            request!(open_ephemeral_resource {
                type_name: "corner_token".into(),
                config: Some(token.to_wire())
            }),
        ),
        (
            "PlanAction",
            request!(plan_action {
                action_type: "corner_ring".into(),
                config: ring()
            }),
        ),
        (
            "InvokeAction",
            request!(invoke_action {
                action_type: "corner_ring".into(),
                config: ring()
            }),
        ),
        (
            "ListResource",
            request!(list_resource {
                type_name: name(),
                config: Some(obj! { "prefix" => "a" }.to_wire()),
                limit: 3
            }),
        ),
        (
            "GetStates",
            request!(get_states {
                type_name: "corner_store".into()
            }),
        ),
    ]
}

fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        let at = random
            .below(bytes.len().max(1))
            .min(bytes.len().saturating_sub(1));
        match random.below(4) {
            _ if bytes.is_empty() => {}
            0 => bytes[at] = random.below(256) as u8,
            1 => bytes.truncate(at),
            2 => bytes.insert(at, [0xdb, 0xdd, 0xdf, 0xc6, 0xc9][random.below(5)]),
            _ => bytes.extend_from_within(at..),
        }
    }
}

/// Sends bytes as a request and reads whatever comes back to its end. Whether the call was answered, and not refused.
async fn send(client: &mut Grpc<Channel>, call: &str, bytes: Vec<u8>) -> (bool, Vec<u8>) {
    let path = format!("/tfplugin6.Provider/{call}");
    let path = PathAndQuery::from_maybe_shared(path).unwrap();
    client.ready().await.expect("the provider still serves");
    let mut all = Vec::new();
    match client
        .server_streaming(tonic::Request::new(bytes), path, Raw)
        .await
    {
        Ok(answer) => {
            let mut stream = answer.into_inner();
            while let Ok(Some(message)) = stream.message().await {
                all.extend(message);
            }
            (true, all)
        }
        Err(_) => (false, all),
    }
}

fn memory(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap()
}

#[tokio::test]
async fn fuzz_whole_requests_over_the_wire() {
    // A hundredth of what the service itself is given: most of the time goes into the transport.
    let said = std::env::var("FUZZ_MESSAGES").ok();
    let wanted = said.and_then(|text| text.parse::<usize>().ok());
    let wanted = wanted.map_or(6_000, |all| all / 100);
    let process = Launch::corner().env("TF_LOG", "ERROR").start().await;
    let mut client = Grpc::new(process.connect().await).max_decoding_message_size(usize::MAX);
    let good = requests();
    for (call, bytes) in &good {
        let (answered, _) = send(&mut client, call, bytes.clone()).await;
        assert!(answered, "{call}");
    }
    let before = memory(&process);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut taken = 0;
    for round in 0..wanted {
        let (call, bytes) = &good[round % good.len()];
        let mut bytes = bytes.clone();
        damage(&mut bytes, &mut random);
        let (answered, answer) = send(&mut client, call, bytes.clone()).await;
        taken += usize::from(answered);
        let text = String::from_utf8_lossy(&answer);
        assert!(
            !text.contains("The provider failed while"),
            "{call} {bytes:?}: {text}"
        );
    }
    let grown = memory(&process).saturating_sub(before);
    eprintln!(
        "fuzz over the wire: {wanted} messages, {taken} of them answered; {grown} KiB more memory"
    );
    assert!(0 < taken && taken < wanted, "{taken} of {wanted}");
    assert!(grown < 64 << 10, "{grown} KiB more than before");
    let (status, logs) = process.shutdown().await;
    assert!(status.success() && !logs.contains("panic"), "{logs}");
}
