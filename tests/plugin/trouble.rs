//! What goes wrong: failures half way, panics, interrupts, time limits, things that are put off, and resources that break
//! the rules on purpose.

use super::host::{Diag, Launch, Managed, PlanInput, Provider, errors};
use super::messages6 as pb;
use super::value::{Val, obj};

async fn provider() -> Provider {
    let mut provider = Launch::corner().env("TF_LOG", "DEBUG").provider().await;
    assert_eq!(provider.configure(obj! {}).await, []);
    provider
}

async fn bring(provider: &mut Provider, type_name: &str, given: Val) -> (Managed, Vec<Diag>) {
    let config = provider.config(type_name, given);
    let mut managed = Managed::new(type_name);
    let diagnostics = provider.bring(&mut managed, &config).await;
    (managed, diagnostics)
}

#[tokio::test]
async fn a_failed_creation_returns_its_error_and_what_exists() {
    let mut provider = provider().await;
    let (managed, diagnostics) = bring(
        &mut provider,
        "corner_trouble",
        obj! { "when" => "fail half way" },
    )
    .await;
    assert_eq!(errors(&diagnostics)[0].path, "when");
    assert_eq!(managed.state.get("id").text(), "half-made");
    assert_eq!(
        *managed.state.get("note"),
        Val::Null,
        "what is not known yet is stored as nothing"
    );
    let (managed, diagnostics) = bring(
        &mut provider,
        "corner_trouble",
        obj! { "when" => "fail at once" },
    )
    .await;
    assert_eq!((errors(&diagnostics).len(), managed.state), (1, Val::Null));
    let (managed, diagnostics) = bring(
        &mut provider,
        "corner_trouble",
        obj! { "when" => "fail in plan" },
    )
    .await;
    assert_eq!((errors(&diagnostics).len(), managed.state), (1, Val::Null));
    provider.end().await;
}

#[tokio::test]
async fn a_failed_deletion_keeps_the_state() {
    let mut provider = provider().await;
    let (mut managed, _) = bring(
        &mut provider,
        "corner_trouble",
        obj! { "when" => "fail in delete" },
    )
    .await;
    let before = managed.state.clone();
    let diagnostics = provider.destroy(&mut managed).await;
    assert_eq!(errors(&diagnostics).len(), 1);
    assert_eq!(managed.state, before);
    provider.end().await;
}

#[tokio::test]
async fn a_panic_is_an_error_with_its_place_and_the_rest_goes_on() {
    let mut provider = provider().await;
    for when in ["panic in validate", "panic in plan", "panic half way"] {
        let (managed, diagnostics) =
            bring(&mut provider, "corner_trouble", obj! { "when" => when }).await;
        let all = errors(&diagnostics);
        let text = format!("{} {}", all[0].summary, all[0].detail);
        assert!(text.contains("trouble.rs:"), "{when}: {text}");
        assert!(!text.contains("stack backtrace"), "{text}");
        if when == "panic half way" {
            assert_eq!(
                managed.state.get("id").text(),
                "half-made",
                "what existed is stored"
            );
        }
    }
    let (managed, diagnostics) = bring(
        &mut provider,
        "corner_trouble",
        obj! { "when" => "panic in read" },
    )
    .await;
    assert_eq!(errors(&diagnostics), Vec::<&Diag>::new());
    let read = provider
        .read("corner_trouble", &managed.state, &managed.private, None)
        .await;
    assert_eq!(errors(&read.diagnostics).len(), 1);
    assert_eq!(
        read.state, managed.state,
        "a read that failed loses nothing"
    );
    provider
        .lives("corner_thing", obj! { "name" => "after" })
        .await;
    let logs = provider.end().await;
    assert!(logs.contains("panic: told to panic in create"), "{logs}");
    assert!(!logs.contains("stack backtrace"), "{logs}");
}

#[tokio::test]
async fn warnings_travel_without_failing_anything() {
    let mut provider = provider().await;
    let (managed, diagnostics) = bring(
        &mut provider,
        "corner_trouble",
        obj! { "when" => "warn in validate" },
    )
    .await;
    assert!(errors(&diagnostics).is_empty() && !managed.state.is_null());
    assert_eq!(
        (
            diagnostics[0].summary.as_str(),
            diagnostics[0].path.as_str()
        ),
        ("a warning", "when")
    );
    provider.end().await;
}

#[tokio::test]
async fn an_interrupted_creation_keeps_what_exists() {
    let mut provider = provider().await;
    let config = provider.config("corner_slow", obj! { "seconds" => 60 });
    let input = PlanInput::create(config);
    let planned = provider.plan("corner_slow", &input).await;
    let mut rpc = provider.rpc.clone();
    let stopper = tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        rpc.stop_provider(pb::stop_provider::Request {})
            .await
            .unwrap();
    });
    let outcome = provider.apply("corner_slow", &input, &planned).await;
    stopper.await.unwrap();
    assert!(
        errors(&outcome.diagnostics)[0].summary.contains("stopped"),
        "{:?}",
        outcome.diagnostics
    );
    assert_eq!(outcome.state.get("id").text(), "slow");
    assert_eq!(*outcome.state.get("done"), Val::Null);
    provider.end().await;
}

#[tokio::test]
async fn time_limits_are_the_users() {
    let mut provider = provider().await;
    let given = obj! { "seconds" => 60, "timeouts" => obj! { "create" => "200ms" } };
    let (managed, diagnostics) = bring(&mut provider, "corner_slow", given).await;
    assert_eq!(errors(&diagnostics)[0].summary, "out of time");
    assert_eq!(managed.state.get("id").text(), "slow");
    let given = obj! { "seconds" => 1, "timeouts" => obj! { "create" => "soon" } };
    let (_, diagnostics) = bring(&mut provider, "corner_slow", given).await;
    assert_eq!(errors(&diagnostics)[0].path, "timeouts.create");
    provider.end().await;
}

#[tokio::test]
async fn a_plan_is_put_off_only_where_terraform_can() {
    let mut provider = provider().await;
    let config = provider.config("corner_deferring", obj! { "wait" => true });
    let planned = provider
        .plan("corner_deferring", &PlanInput::create(config.clone()))
        .await;
    assert_eq!(
        (errors(&planned.diagnostics).len(), planned.deferred),
        (1, None)
    );
    provider.client.deferral_allowed = true;
    let planned = provider
        .plan("corner_deferring", &PlanInput::create(config))
        .await;
    assert_eq!(errors(&planned.diagnostics), Vec::<&Diag>::new());
    let reason = pb::deferred::Reason::AbsentPrereq.into();
    assert_eq!(planned.deferred, Some(pb::Deferred { reason }));
    provider.end().await;
}

#[tokio::test]
async fn a_resource_that_breaks_a_rule_is_caught_before_terraform_sees_it() {
    let mut provider = provider().await;
    let given = |rule: &str| obj! { "rule" => rule, "list" => vec!["a"], "secret_wo" => "canary" };
    // The checked host would fail these tests if one of the broken answers went through.
    for rule in ["P2", "P5", "A1", "A2", "A3", "A4", "A7", "A8"] {
        let (managed, diagnostics) = bring(&mut provider, "corner_liar", given(rule)).await;
        // Write-only values are taken out by the runtime itself, so there is nothing left to complain about.
        if ["P5", "A7"].contains(&rule) {
            assert_eq!(*managed.state.get("secret_wo"), Val::Null);
            continue;
        }
        let all = errors(&diagnostics);
        assert!(!all.is_empty(), "{rule} went unnoticed");
        let text = format!("{} {}", all[0].summary, all[0].detail);
        assert!(
            text.contains("corner_liar"),
            "{rule}: names the resource: {text}"
        );
        assert!(!text.contains("canary"), "{rule}: {text}");
    }
    // What must be replaced is looked at only where there is something to replace.
    let (mut managed, _) = bring(&mut provider, "corner_liar", given("none")).await;
    let config = provider.config("corner_liar", given("P9"));
    let diagnostics = provider.bring(&mut managed, &config).await;
    assert!(!errors(&diagnostics).is_empty(), "P9 went unnoticed");
    let config = obj! { "rule" => "P3" };
    let (_, diagnostics) = bring(&mut provider, "corner_liar", config).await;
    assert!(!errors(&diagnostics).is_empty(), "P3 went unnoticed");

    let (managed, _) = bring(&mut provider, "corner_liar", given("R1")).await;
    let read = provider
        .read("corner_liar", &managed.state, &managed.private, None)
        .await;
    assert!(!errors(&read.diagnostics).is_empty(), "R1 went unnoticed");
    let (mut managed, _) = bring(&mut provider, "corner_liar", given("A8 delete")).await;
    let before = managed.state.clone();
    let diagnostics = provider.destroy(&mut managed).await;
    assert!(
        errors(&diagnostics).is_empty() || managed.state == before,
        "{diagnostics:?}"
    );
    provider.end().await;
}

#[tokio::test]
async fn every_line_of_the_log_is_json_and_knows_its_request() {
    let mut provider = Launch::corner().env("TF_LOG", "TRACE").provider().await;
    provider
        .configure(obj! { "token" => "canary-of-the-provider" })
        .await;
    bring(
        &mut provider,
        "corner_trouble",
        obj! { "when" => "panic half way" },
    )
    .await;
    let logs = provider.end().await;
    assert!(!logs.contains("canary"), "{logs}");
    assert!(logs.contains("configured with (secret)"), "{logs}");
    let mut requests = std::collections::BTreeSet::new();
    for line in logs.lines() {
        let line: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(line).expect(line);
        assert!(line.values().all(serde_json::Value::is_string), "{line:?}");
        for key in ["@level", "@message", "@module", "@timestamp"] {
            assert!(line.contains_key(key), "{key} in {line:?}");
        }
        let time = line["@timestamp"].as_str().unwrap();
        assert!(
            chrono::NaiveDateTime::parse_from_str(time, "%Y-%m-%dT%H:%M:%S%.6fZ").is_ok(),
            "{time}"
        );
        if let Some(id) = line.get("tf_req_id") {
            requests.insert(id.as_str().unwrap().to_owned());
            assert!(line.contains_key("tf_rpc"), "{line:?}");
        }
    }
    assert!(requests.len() >= 4, "{logs}");
    let panic = logs
        .lines()
        .find(|line| line.contains("told to panic"))
        .unwrap();
    assert!(
        panic.contains("\"tf_rpc\":\"ApplyResourceChange\"")
            && panic.contains("\"tf_resource_type\":\"corner_trouble\""),
        "{panic}"
    );
}
