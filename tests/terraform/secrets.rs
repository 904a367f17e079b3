//! Canaries: every secret that a user gives, and every one that the provider makes, is looked for everywhere.

use super::{Workspace, missing, workspace::children};
use std::process::Child;

/// Each ends in a word that occurs nowhere else.
const CANARIES: [(&str, &str); 8] = [
    ("admin", "canary-admin-Zm9vYmFy-1"),
    ("mail", "canary-mail-Zm9vYmFy-2"),
    (
        "sentry",
        "https://canary-sentry-Zm9vYmFy-3@sentry.example.org/1",
    ),
    (
        "webhook",
        "https://hooks.example.org/canary-webhook-Zm9vYmFy-4",
    ),
    (
        "oncall",
        "https://oncall.example.org/canary-oncall-Zm9vYmFy-5",
    ),
    ("redis", "canary-redis-Zm9vYmFy-6"),
    ("target", "canary-target-Zm9vYmFy-7"),
    ("key", "-----BEGIN PRIVATE KEY-----"),
];

const CONFIGURATION: &str = r#"
provider "invenioils" {
  simulator = { latency = "20ms" }
}
variable "admin" {
  type      = string
  ephemeral = true
}
variable "mail" {
  type      = string
  ephemeral = true
}
variable "sentry" {
  type      = string
  ephemeral = true
}
variable "webhook" {
  type      = string
  ephemeral = true
}
variable "oncall" {
  type      = string
  ephemeral = true
}
variable "redis" {
  type      = string
  ephemeral = true
}
variable "target" {
  type      = string
  ephemeral = true
}
resource "invenioils_environment" "this" {
  name = "library"
  alerts = {
    webhook_url_wo                = var.webhook
    webhook_url_wo_version        = 1
    grafana_oncall_url_wo         = var.oncall
    grafana_oncall_url_wo_version = 1
  }
}
resource "invenioils_service" "this" {
  for_each            = toset(["database", "search", "queue", "storage"])
  environment_id      = invenioils_environment.this.id
  kind                = each.key
  deletion_protection = false
}
resource "invenioils_service" "cache" {
  environment_id = invenioils_environment.this.id
  kind           = "cache"
  external = {
    host                = "redis.example.org"
    port                = 6379
    password_wo         = var.redis
    password_wo_version = 1
  }
}
resource "invenioils_certificate" "this" {
  environment_id = invenioils_environment.this.id
  hostnames      = ["library.example.org"]
  self_signed    = {}
}
resource "invenioils_instance" "this" {
  environment_id = invenioils_environment.this.id
  hostname       = "library.example.org"
  services = merge({ for kind, service in invenioils_service.this : kind => service.id }, {
    cache = invenioils_service.cache.id
  })
  certificate_id      = invenioils_certificate.this.id
  deletion_protection = false
  admin = {
    email               = "admin@example.org"
    password_wo         = var.admin
    password_wo_version = 1
  }
  mail = {
    host                = "mail.example.org"
    port                = 587
    password_wo         = var.mail
    password_wo_version = 1
  }
  monitoring = {
    sentry_dsn_wo         = var.sentry
    sentry_dsn_wo_version = 1
  }
}
resource "invenioils_backup_policy" "this" {
  environment_id = invenioils_environment.this.id
  service_ids    = [invenioils_service.this["database"].id]
  schedule       = "0 3 * * *"
  retention      = { daily = 7 }
  target = {
    bucket                = "elsewhere"
    endpoint              = "https://s3.example.org"
    access_key            = "library"
    secret_key_wo         = var.target
    secret_key_wo_version = 1
  }
}
"#;

#[test]
fn no_secret_is_in_state_plan_log_or_error() {
    if missing() {
        return;
    }
    let mut workspace = Workspace::new(CONFIGURATION);
    // In a file, so that nothing but the provider could bring them into a process's environment.
    let given = CANARIES.map(|(name, secret)| format!("{name} = {secret:?}\n"));
    workspace.write("given.auto.tfvars", &given[..7].concat());
    workspace.set("TF_LOG", "TRACE");
    let mut said = String::new();
    let mut run = |workspace: &Workspace, arguments: &[&str]| {
        let done = workspace.run(arguments);
        said.push_str(&done.to_string());
        done
    };
    run(&workspace, &["validate"]);
    run(&workspace, &["plan", "-out=plan.bin"]).ok();
    let shown = run(&workspace, &["show", "-json", "plan.bin"]).ok();
    workspace.write("plan.json", &shown.stdout);
    let applying = workspace.start(&["apply", "plan.bin"]);
    let processes = watched(applying);
    workspace.write("processes", &processes);
    run(&workspace, &["plan", "-detailed-exitcode"]).ok();
    run(&workspace, &["show", "-json"]).ok();
    run(&workspace, &["state", "pull"]).ok();
    // A new version of a secret, and an error in the middle.
    workspace.edit("password_wo_version = 1", "password_wo_version = 2");
    workspace.edit("\"0 3 * * *\"", "\"0 3 31 2 *\"");
    assert_ne!(run(&workspace, &["apply", "-auto-approve"]).code, 0);
    workspace.edit("\"0 3 31 2 *\"", "\"0 3 * * *\"");
    run(&workspace, &["apply", "-auto-approve"]).ok();
    run(&workspace, &["destroy", "-auto-approve"]).ok();

    // The simulator's file is the cloud, with its secret store: that is where secrets belong.
    let mut places = workspace.left_behind(&["simulator.sqlite", "given.auto.tfvars"]);
    assert!(
        processes.contains("terraform-provider-invenioils"),
        "the provider was seen: {processes}"
    );
    assert!(
        places
            .iter()
            .any(|(path, bytes)| path.ends_with("provider.log") && bytes.len() > 100_000),
        "a log was kept"
    );
    assert!(
        places
            .iter()
            .any(|(path, _)| path.ends_with("terraform.tfstate.backup")),
        "a state was kept"
    );
    places.push(("what terraform said".into(), said.into_bytes()));
    for (path, bytes) in places {
        let text = String::from_utf8_lossy(&bytes);
        for (name, secret) in CANARIES {
            assert!(!text.contains(secret), "{name} is in {}", path.display());
        }
    }
}

/// Waits for its end; gives what it and all that it started showed to other users of the machine: arguments and environment.
fn watched(mut child: Child) -> String {
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let mut family = vec![child.id()];
        let mut next = 0;
        while next < family.len() {
            family.extend(children(family[next]));
            next += 1;
        }
        for pid in family {
            for file in ["cmdline", "environ"] {
                let bytes = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
                seen.insert(String::from_utf8_lossy(&bytes).replace('\0', "\n"));
            }
        }
        if let Some(status) = child.try_wait().expect("terraform can be waited for") {
            assert!(status.success(), "the apply ends well");
            return seen.into_iter().collect();
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}
