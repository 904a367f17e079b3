//! From the start of the process to its end: who is let in, what is printed, and how it ends.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tonic::transport::Channel;

use super::host::pki::Identity;
use super::host::{Launch, PATIENCE, Process, connect, corner_binary, signal};
use super::messages::Empty;
use super::messages6 as pb;
use super::wire::plugin::grpc_controller_client::GrpcControllerClient;
use super::wire::plugin::grpc_stdio_client::GrpcStdioClient;
use super::wire::tfplugin6::provider_client::ProviderClient;

/// One call that changes nothing.
async fn ask(channel: Channel) -> Result<(), tonic::Status> {
    let mut rpc = ProviderClient::new(channel);
    rpc.get_metadata(pb::get_metadata::Request {})
        .await
        .map(drop)
}

async fn by_hand(arguments: &[&str]) -> (Option<i32>, String, String) {
    let run = Command::new(corner_binary())
        .args(arguments)
        .env_remove("TF_PLUGIN_MAGIC_COOKIE")
        .output();
    let run = tokio::time::timeout(PATIENCE, run).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (run.status.code(), text(run.stdout), text(run.stderr))
}

#[tokio::test]
async fn started_by_hand_it_says_what_it_is_and_how_to_install_it() {
    let (code, out, err) = by_hand(&[]).await;
    assert_eq!((code, out.as_str()), (Some(1), ""));
    for part in [
        "Terraform provider",
        "required_providers",
        "tests/corner",
        "dev_overrides",
        "--debug",
    ] {
        assert!(err.contains(part), "{part:?} is missing in: {err}");
    }
    let (code, out, _) = by_hand(&["--version"]).await;
    assert_eq!(
        (code, out.as_str()),
        (Some(0), "terraform-provider-corner 1.2.3\n")
    );
    let (code, out, _) = by_hand(&["--help"]).await;
    assert_eq!(code, Some(0));
    assert!(out.contains("required_providers"));
    let (code, out, err) = by_hand(&["plan"]).await;
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("plan"), "{err}");
}

#[tokio::test]
async fn a_wrong_cookie_is_a_start_by_hand() {
    let wrong = Launch::corner().env("TF_PLUGIN_MAGIC_COOKIE", "other");
    let run = tokio::time::timeout(PATIENCE, wrong.command().output())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((run.status.code(), run.stdout.len()), (Some(1), 0));
}

#[tokio::test]
async fn it_says_its_version_whatever_the_host_knows() {
    for versions in ["5,6", "6", "4,5", ""] {
        let process = Launch::corner()
            .env("PLUGIN_PROTOCOL_VERSIONS", versions)
            .start()
            .await;
        assert_eq!(process.handshake.protocol, "6", "for {versions:?}");
        let (status, _) = process.shutdown().await;
        assert!(status.success());
    }
}

#[tokio::test]
async fn only_the_holder_of_the_certificate_gets_in() {
    let launch = Launch::corner().env("TF_LOG", "WARN");
    let owner = launch.identity.clone().unwrap();
    let process = launch.start().await;
    let other = Identity::fresh();
    let thief = owner.with_the_key_of(&other);
    for (who, identity) in [
        ("nobody", None),
        ("another", Some(other)),
        ("a thief of the certificate", Some(thief)),
    ] {
        // With TLS 1.3 the client is done before the server has looked: the refusal may come with the first call.
        let refused = match process.connect_as(identity).await {
            Ok(channel) => ask(channel).await.is_err(),
            Err(_) => true,
        };
        assert!(refused, "{who} was let in");
    }
    let mut plain = process.handshake.clone();
    plain.certificate = None;
    let refused = match connect(&plain, None).await {
        Ok(channel) => ask(channel).await.is_err(),
        Err(_) => true,
    };
    assert!(refused, "plain text was let in");
    ask(process.connect().await)
        .await
        .expect("the owner still gets in");
    let (_, logs) = process.shutdown().await;
    assert!(logs.matches("turned away").count() >= 4, "{logs}");
}

#[tokio::test]
async fn an_expired_certificate_opens_nothing() {
    let mut launch = Launch::corner();
    launch.identity = Some(Identity::valid_until(
        Utc::now() - chrono::Duration::minutes(1),
    ));
    let process = launch.start().await;
    let refused = match process.connect_as(launch.identity.clone()).await {
        Ok(channel) => ask(channel).await.is_err(),
        Err(_) => true,
    };
    assert!(refused);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_read_ends_the_start() {
    let broken = Launch::corner().env("PLUGIN_CLIENT_CERT", "no certificate");
    let run = tokio::time::timeout(PATIENCE, broken.command().output())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(run.stdout.len(), 0, "no handshake, and so no open door");
    let err = String::from_utf8(run.stderr).unwrap();
    assert!(err.contains("PLUGIN_CLIENT_CERT"), "{err}");
}

#[tokio::test]
async fn the_socket_is_in_a_folder_of_its_own_that_goes_away() {
    let process = Launch::corner().start().await;
    let folder = process.handshake.address.parent().unwrap().to_owned();
    let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(process.handshake.address.exists());
    let (status, _) = process.shutdown().await;
    assert!(status.success());
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_place_for_the_socket_is_taken_and_one_that_is_too_long_is_not() {
    let short = tempfile::Builder::new()
        .prefix("s")
        .tempdir_in("/tmp")
        .unwrap();
    let long = short.path().join("x".repeat(120));
    std::fs::create_dir(&long).unwrap();
    for (place, taken) in [(short.path(), true), (&long, false)] {
        let process = Launch::corner()
            .env("PLUGIN_UNIX_SOCKET_DIR", place.to_str().unwrap())
            .start()
            .await;
        assert_eq!(
            process.handshake.address.starts_with(place),
            taken,
            "{place:?}"
        );
        ask(process.connect().await).await.unwrap();
        process.shutdown().await;
    }
}

#[tokio::test]
async fn without_a_certificate_of_the_host_the_socket_is_plain() {
    let process = Launch::corner()
        .plain()
        .env("TF_DISABLE_PLUGIN_TLS", "1")
        .start()
        .await;
    assert_eq!(process.handshake.certificate, None);
    ask(process.connect().await).await.unwrap();
    let (status, _) = process.shutdown().await;
    assert!(status.success());
}

/// A call that takes a minute unless it is told to stop; `heeds` says whether it listens.
fn slow(
    process_channel: Channel,
    heeds: bool,
) -> tokio::task::JoinHandle<Result<pb::read_data_source::Response, tonic::Status>> {
    let config =
        super::value::obj! { "seconds" => 60, "heeds_stop" => heeds, "result" => None::<&str> };
    let mut rpc = ProviderClient::new(process_channel);
    let request = pb::read_data_source::Request {
        type_name: "corner_slow".into(),
        config: Some(config.to_wire()),
        ..Default::default()
    };
    tokio::spawn(async move {
        rpc.read_data_source(request)
            .await
            .map(tonic::Response::into_inner)
    })
}

/// Until the call has begun.
async fn begun(process: &Process) {
    let start = Instant::now();
    while !process.logs().contains("slow begins") {
        assert!(start.elapsed() < PATIENCE, "{}", process.logs());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn stop_is_heard_by_running_calls() {
    let process = Launch::corner().env("TF_LOG", "DEBUG").start().await;
    let channel = process.connect().await;
    let call = slow(channel.clone(), true);
    begun(&process).await;
    let start = Instant::now();
    let answer = ProviderClient::new(channel)
        .stop_provider(pb::stop_provider::Request {})
        .await;
    assert_eq!(answer.unwrap().into_inner().error, "");
    let answer = tokio::time::timeout(PATIENCE, call)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(answer.diagnostics.len(), 1, "{answer:?}");
    assert!(
        answer.diagnostics[0].summary.contains("stopped"),
        "{answer:?}"
    );
    process.shutdown().await;
}

#[tokio::test]
async fn shutdown_ends_the_process_within_two_seconds_even_with_a_call_that_does_not_listen() {
    let mut process = Launch::corner().env("TF_LOG", "DEBUG").start().await;
    let channel = process.connect().await;
    let _call = slow(channel.clone(), false);
    let mut stdio = GrpcStdioClient::new(channel.clone())
        .stream_stdio(())
        .await
        .unwrap()
        .into_inner();
    begun(&process).await;
    let start = Instant::now();
    GrpcControllerClient::new(channel)
        .shutdown(Empty {})
        .await
        .unwrap();
    assert!(
        stdio.message().await.is_ok_and(|end| end.is_none()),
        "the output stream ends in order"
    );
    let status = process.ended().await;
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "took {:?}",
        start.elapsed()
    );
    assert!(status.success());
}

#[tokio::test]
async fn an_interrupt_is_left_to_terraform_and_a_termination_is_orderly() {
    let mut process = Launch::corner().env("TF_LOG", "DEBUG").start().await;
    let channel = process.connect().await;
    let call = slow(channel.clone(), true);
    begun(&process).await;
    process.signal("INT");
    process.signal("INT");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!call.is_finished());
    ask(channel).await.expect("it still serves");

    process.signal("TERM");
    let answer = tokio::time::timeout(PATIENCE, call).await.unwrap().unwrap();
    let answer = answer.expect("the running call is given its answer");
    assert!(
        answer.diagnostics[0].summary.contains("stopped"),
        "{answer:?}"
    );
    assert!(process.ended().await.success());
}

#[tokio::test]
async fn the_process_ends_when_its_parent_is_gone() {
    let launch = Launch::corner();
    let mut shell = Command::new("sh");
    let mut command = launch.command();
    // A shell that starts the provider, and waits for it.
    shell.args([
        "-c",
        "\"$0\" & echo child $!; wait",
        launch.binary.to_str().unwrap(),
    ]);
    shell.env_clear().envs(
        command
            .as_std_mut()
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let mut shell = shell
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(shell.stdout.take().unwrap()).lines();
    let (mut child, mut socket) = (None, None);
    while child.is_none() || socket.is_none() {
        let line = tokio::time::timeout(PATIENCE, lines.next_line())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        match line.strip_prefix("child ") {
            Some(pid) => child = Some(pid.parse::<u32>().unwrap()),
            None => socket = line.split('|').nth(3).map(std::path::PathBuf::from),
        }
    }
    let (child, socket) = (child.unwrap(), socket.unwrap());
    assert!(socket.exists());
    signal(shell.id().unwrap(), "KILL");
    let start = Instant::now();
    while std::path::Path::new(&format!("/proc/{child}")).exists()
        || socket.parent().unwrap().exists()
    {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "the orphan {child} lives on"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A provider in debug mode and the value for `TF_REATTACH_PROVIDERS` that it prints.
pub async fn debugged() -> (tokio::process::Child, String) {
    let mut child = Command::new(corner_binary())
        .arg("--debug")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    loop {
        let line = tokio::time::timeout(PATIENCE, lines.next_line())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        if let Some(setting) = line
            .trim()
            .strip_prefix("sh, bash, zsh   export TF_REATTACH_PROVIDERS='")
        {
            return (child, setting.trim_end_matches('\'').to_owned());
        }
    }
}

#[tokio::test]
async fn debug_mode_serves_one_command_after_the_other() {
    let (mut child, setting) = debugged().await;
    let setting: serde_json::Value = serde_json::from_str(&setting).unwrap();
    let provider = &setting["registry.terraform.io/tests/corner"];
    assert_eq!(provider["Protocol"], "grpc");
    assert_eq!(provider["ProtocolVersion"], 6);
    assert_eq!(provider["Test"], true);
    assert_eq!(provider["Pid"], child.id().unwrap());
    assert_eq!(provider["Addr"]["Network"], "unix");
    let handshake = super::host::Handshake {
        protocol: "6".into(),
        network: "unix".into(),
        address: provider["Addr"]["String"].as_str().unwrap().into(),
        certificate: None,
    };
    for _ in 0..3 {
        let channel = connect(&handshake, None).await.unwrap();
        ask(channel.clone()).await.unwrap();
        // One command's stop is over with that command.
        ProviderClient::new(channel.clone())
            .stop_provider(pb::stop_provider::Request {})
            .await
            .unwrap();
        GrpcControllerClient::new(channel)
            .shutdown(Empty {})
            .await
            .unwrap();
    }
    signal(child.id().unwrap(), "INT");
    let status = tokio::time::timeout(PATIENCE, child.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(status.success());
    assert!(!handshake.address.exists());
}

#[tokio::test]
async fn the_start_is_fast() {
    let mut all = Vec::new();
    for _ in 0..10 {
        let launch = Launch::corner();
        let mut command = launch.command();
        let start = Instant::now();
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        lines.next_line().await.unwrap().unwrap();
        all.push(start.elapsed());
        child.kill().await.unwrap();
    }
    all.sort();
    // The goal is five milliseconds in a release build on a quiet machine; this only sees a start that waits for something.
    assert!(
        all[0] < Duration::from_millis(100),
        "the fastest of ten starts took {:?}",
        all[0]
    );
}
