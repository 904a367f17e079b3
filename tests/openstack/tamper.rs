//! Every field that we set, changed behind our back through the plain APIs: the next plan tells each of them, and the next
//! apply brings all of them back.

use super::{Project, inventory::Inventory, project::text};
use crate::terraform::{
    Workspace,
    workspace::{until, unwrapped},
};
use serde_json::{Value, json};

/// One field of one object: how we call it, how the service does, and what a stranger makes of it.
struct Field {
    kind: &'static str,
    field: &'static str,
    service: &'static str,
    path: &'static str,
    key: &'static str,
    /// The object's name in the project.
    name: &'static str,
    theirs: &'static str,
    value: &'static str,
}

const fn field(
    kind: (&'static str, &'static str, &'static str, &'static str),
    name: &'static str,
    field: &'static str,
    theirs: &'static str,
    value: &'static str,
) -> Field {
    Field {
        kind: kind.0,
        field,
        service: kind.1,
        path: kind.2,
        key: kind.3,
        name,
        theirs,
        value,
    }
}

type Kind = (&'static str, &'static str, &'static str, &'static str);
const NETWORK: Kind = ("network", "network", "/networks", "network");
const SUBNET: Kind = ("subnet", "network", "/subnets", "subnet");
const ROUTER: Kind = ("router", "network", "/routers", "router");
const PORT: Kind = ("port", "network", "/ports", "port");
const GROUP: Kind = (
    "security_group",
    "network",
    "/security-groups",
    "security_group",
);
const ADDRESS: Kind = ("floating_ip", "network", "/floatingips", "floatingip");
const SERVER: Kind = ("server", "compute", "/servers", "server");
const VOLUME: Kind = ("volume", "volumev3", "/volumes", "volume");
const BALANCER: Kind = (
    "load_balancer",
    "load-balancer",
    "/lbaas/loadbalancers",
    "loadbalancer",
);
const LISTENER: Kind = ("listener", "load-balancer", "/lbaas/listeners", "listener");
const POOL: Kind = ("pool", "load-balancer", "/lbaas/pools", "pool");
const MONITOR: Kind = (
    "health_monitor",
    "load-balancer",
    "/lbaas/healthmonitors",
    "healthmonitor",
);
const POLICY: Kind = ("l7policy", "load-balancer", "/lbaas/l7policies", "l7policy");

const FIELDS: [Field; 40] = [
    field(NETWORK, "library", "name", "name", r#""theirs""#),
    field(
        NETWORK,
        "library",
        "description",
        "description",
        r#""theirs""#,
    ),
    field(
        NETWORK,
        "library",
        "admin_state_up",
        "admin_state_up",
        "false",
    ),
    field(SUBNET, "library", "name", "name", r#""theirs""#),
    field(
        SUBNET,
        "library",
        "description",
        "description",
        r#""theirs""#,
    ),
    field(
        SUBNET,
        "library",
        "dns_nameservers",
        "dns_nameservers",
        r#"["192.0.2.53"]"#,
    ),
    field(SUBNET, "library", "enable_dhcp", "enable_dhcp", "false"),
    field(ROUTER, "library", "name", "name", r#""theirs""#),
    field(
        ROUTER,
        "library",
        "description",
        "description",
        r#""theirs""#,
    ),
    field(
        ROUTER,
        "library",
        "admin_state_up",
        "admin_state_up",
        "false",
    ),
    field(PORT, "library-queue-0", "name", "name", r#""theirs""#),
    field(
        PORT,
        "library-queue-0",
        "description",
        "description",
        r#""theirs""#,
    ),
    field(
        PORT,
        "library-queue-0",
        "admin_state_up",
        "admin_state_up",
        "false",
    ),
    field(
        PORT,
        "library-queue-0",
        "security_groups",
        "security_groups",
        "[]",
    ),
    field(GROUP, "library-queue", "name", "name", r#""theirs""#),
    field(
        GROUP,
        "library-queue",
        "description",
        "description",
        r#""theirs""#,
    ),
    field(ADDRESS, "", "description", "description", r#""theirs""#),
    field(SERVER, "library-queue-0", "name", "name", r#""theirs""#),
    field(VOLUME, "library-queue-0", "name", "name", r#""theirs""#),
    field(VOLUME, "library-queue-0", "metadata", "metadata", "{}"),
    field(BALANCER, "library", "name", "name", r#""theirs""#),
    field(
        BALANCER,
        "library",
        "description",
        "description",
        r#""theirs""#,
    ),
    field(
        BALANCER,
        "library",
        "admin_state_up",
        "admin_state_up",
        "false",
    ),
    field(BALANCER, "library", "tags", "tags", "[]"),
    field(LISTENER, "library-ils-https", "name", "name", r#""theirs""#),
    field(
        LISTENER,
        "library-ils-https",
        "admin_state_up",
        "admin_state_up",
        "false",
    ),
    field(
        LISTENER,
        "library-ils-https",
        "idle_timeout",
        "timeout_client_data",
        "4000",
    ),
    field(
        LISTENER,
        "library-ils-https",
        "idle_timeout",
        "timeout_member_data",
        "4000",
    ),
    field(
        LISTENER,
        "library-ils-https",
        "insert_headers",
        "insert_headers",
        "{}",
    ),
    field(
        LISTENER,
        "library-ils-https",
        "pool",
        "default_pool_id",
        "null",
    ),
    field(LISTENER, "library-ils-http", "name", "name", r#""theirs""#),
    field(POOL, "library-ils", "name", "name", r#""theirs""#),
    field(
        POOL,
        "library-ils",
        "lb_algorithm",
        "lb_algorithm",
        r#""SOURCE_IP""#,
    ),
    field(
        MONITOR,
        "library-ils",
        "url_path",
        "url_path",
        r#""/theirs""#,
    ),
    field(
        MONITOR,
        "library-ils",
        "domain_name",
        "domain_name",
        r#""theirs.example.org""#,
    ),
    field(MONITOR, "library-ils", "delay", "delay", "55"),
    field(MONITOR, "library-ils", "timeout", "timeout", "2"),
    field(MONITOR, "library-ils", "max_retries", "max_retries", "9"),
    field(
        POLICY,
        "library-ils-redirect",
        "redirect_prefix",
        "redirect_prefix",
        r#""https://theirs.example.org""#,
    ),
    field(
        POLICY,
        "library-ils-redirect",
        "redirect_http_code",
        "redirect_http_code",
        "307",
    ),
];

impl Field {
    fn list(&self) -> &'static str {
        match self.kind {
            "health_monitor" => "monitor",
            "l7policy" => "policy",
            other => other,
        }
    }

    fn id(&self, all: &Inventory) -> String {
        let found = match self.name {
            "" => &all.all(self.list())[0],
            name => all.named(self.list(), name),
        };
        text(&found["id"])
    }

    /// What it is now.
    fn read(&self, project: &Project, id: &str) -> Value {
        project
            .api()
            .get(self.service, &format!("{}/{id}", self.path))[self.key][self.theirs]
            .clone()
    }

    fn change(&self, project: &Project, id: &str) {
        let value: Value = serde_json::from_str(self.value).expect("JSON");
        if self.field == "metadata" {
            let body = json!({ "metadata": value });
            project
                .api()
                .put(self.service, &format!("{}/{id}/metadata", self.path), &body);
            return;
        }
        let body = json!({ self.key: { self.theirs: value } });
        // A balancer takes one change after the other.
        let path = format!("{}/{id}", self.path);
        until(600, &format!("a {} that is not busy", self.kind), || {
            let (status, answer) = project.api().call("PUT", self.service, &path, Some(&body));
            assert!(
                status < 300 || status == 409,
                "{} {}: {status} {answer}",
                self.kind,
                self.theirs
            );
            status < 300
        });
    }
}

/// Of a library that stands; it stands as before afterwards.
pub fn every_field_changed_is_told_and_brought_back(project: &Project, workspace: &Workspace) {
    let all = project.inventory();
    let was: Vec<(String, Value)> = FIELDS
        .iter()
        .map(|field| {
            let id = field.id(&all);
            let value = field.read(project, &id);
            (id, value)
        })
        .collect();
    for (field, (id, value)) in FIELDS.iter().zip(&was) {
        field.change(project, id);
        assert_ne!(
            field.read(project, id),
            *value,
            "{} {} was changed",
            field.kind,
            field.theirs
        );
    }

    let plan = workspace.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(plan.code, 2, "the plan has something to do: {plan}");
    let said = unwrapped(&plan.to_string());
    for field in &FIELDS {
        let begins = format!("- {} `", field.kind);
        let tells = format!("): {} is", field.field);
        let told = said.match_indices(&begins).any(|(at, _)| {
            let line = &said[at + 2..];
            let line = &line[..line.find(" - ").unwrap_or(line.len())];
            line.contains(&tells)
        });
        assert!(told, "{} {} is not told: {said}", field.kind, field.field);
    }

    workspace.apply();
    workspace.settled();
    for (field, (id, value)) in FIELDS.iter().zip(&was) {
        assert_eq!(
            field.read(project, id),
            *value,
            "{} {} is as it was",
            field.kind,
            field.theirs
        );
    }
}
