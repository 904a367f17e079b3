//! What breaks under an installation: services that go away for a while, machines that do not come up, quotas that run out,
//! balancers that never finish. The next apply ends well, what stands then is what an undisturbed apply brings, and destroy
//! leaves nothing.

use super::{
    Project, Turn,
    calls::Order,
    cloud,
    daemons::{Stopped, forget_tokens},
    inventory::Inventory,
    left_to_a_drill, north_star,
    project::text,
    shared,
};
use crate::terraform::{
    Workspace,
    tally::{Found, Tally},
};
use serde_json::json;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    process::Child,
    sync::OnceLock,
    thread::sleep,
    time::{Duration, Instant},
};

pub type Shape = BTreeMap<&'static str, Vec<String>>;

/// What an apply that nobody disturbs brings, by kind and name. Taken once in a run of the tests.
fn undisturbed(_turn: &Turn) -> &'static Shape {
    static SHAPE: OnceLock<Shape> = OnceLock::new();
    SHAPE.get_or_init(|| {
        let project = Project::new();
        let before = project.inventory();
        let workspace = north_star(&project);
        workspace.apply();
        let shape = project.inventory().shape();
        workspace.destroy();
        project.is_as(&before);
        shape
    })
}

/// The life of one installation that something happens to.
pub struct Life {
    pub project: Project,
    pub workspace: Workspace,
    before: Inventory,
    /// What held data when an apply failed: nobody may take it away.
    healthy: RefCell<BTreeSet<String>>,
    turn: Turn,
}

impl Life {
    /// Of one that has the cloud to itself. None: there is no cloud here, which has been said.
    pub fn begin() -> Option<Self> {
        // what anybody may see it need not hold up
        undisturbed(&shared()?);
        cloud().map(Self::of)
    }

    /// Of one to which only happens what nobody else notices.
    pub fn beside_others() -> Option<Self> {
        shared().map(Self::of)
    }

    fn of(turn: Turn) -> Self {
        let project = Project::new();
        let before = project.inventory();
        let mut workspace = north_star(&project);
        workspace.set("TF_VAR_owner", "library-team");
        Self {
            project,
            workspace,
            before,
            healthy: RefCell::default(),
            turn,
        }
    }

    /// Nothing more is to be done, all is there once, and only what may get in gets in.
    pub fn stands(&self) -> Found {
        self.stands_as(undisturbed(&self.turn))
    }

    /// The same, where what should be there is known already.
    pub fn stands_as(&self, wanted: &Shape) -> Found {
        self.workspace.settled();
        let now = self.project.inventory();
        super::firewall::lets_in_exactly(&now, "library");
        let mut found = found(wanted, &now.shape());
        found.destroyed = self.healthy.borrow().difference(&well(&now)).count() as u64;
        found
    }

    /// Takes it away, and tells what was found in the table.
    pub fn ends(self, what: &'static str, cases: u64, applies: usize, found: Found) {
        self.workspace.destroy();
        self.project.is_as(&self.before);
        Tally {
            what,
            platform: "OpenStack",
            cases,
            applies,
            refused: 0,
            found,
        }
        .tell();
    }

    fn start(&self) -> Child {
        self.workspace.start(&["apply", "-auto-approve"])
    }

    /// The end of a started apply: whether it went well, and what it said.
    fn end(&self, mut child: Child) -> (bool, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("terraform is there") {
                break status;
            }
            // What waits for something that never comes is interrupted, so that the test says what it was.
            if began.elapsed() > Duration::from_secs(600) {
                crate::terraform::workspace::signal(&child, "INT", true);
                break child.wait().expect("terraform ends");
            }
            sleep(Duration::from_millis(100));
        };
        let said = self.workspace.complaints();
        if !status.success() {
            eprintln!("apply said: {said}");
        }
        self.healthy
            .borrow_mut()
            .extend(well(&self.project.inventory()));
        (status.success(), said)
    }

    /// Waits, five minutes at most, until so many of a kind are there.
    fn until(&self, kind: &str, count: usize) {
        self.wait(&format!("{count} of {kind}"), |now| {
            now.all(kind).len() >= count
        });
    }

    /// Waits until something of a kind is in a state, and some seconds more.
    fn work_waits(&self, kind: &str, field: &str, state: &str) {
        self.wait(&format!("{kind} is {state}"), |now| {
            now.all(kind).iter().any(|it| it[field] == state)
        });
        sleep(Duration::from_secs(5));
    }

    fn wait(&self, what: &str, come: impl Fn(&Inventory) -> bool) {
        let began = Instant::now();
        while !come(&self.project.inventory()) {
            assert!(
                began.elapsed() < Duration::from_secs(300),
                "not come: {what}"
            );
            sleep(Duration::from_millis(300));
        }
    }
}

/// The volumes that are in use, and the machines that run and hold one. Machines without data come and go: Terraform
/// itself replaces an instance whose making failed.
fn well(now: &Inventory) -> BTreeSet<String> {
    let servers = now
        .all("server")
        .iter()
        .filter(|it| it["status"] == "ACTIVE")
        .filter(|it| it["os-extended-volumes:volumes_attached"] != json!([]));
    let volumes = now
        .all("volume")
        .iter()
        .filter(|it| it["status"] == "in-use");
    servers.chain(volumes).map(|it| text(&it["id"])).collect()
}

/// A name without what is drawn anew each time: the end of `pkcs12-07e4bf`, which is named after a certificate that was just
/// issued, and the id of a load balancer in the name of its port.
fn steady(name: &str) -> &str {
    if name.starts_with("octavia-lb-") {
        return "octavia-lb";
    }
    let drawn = |part: &str| part.len() == 6 && part.bytes().all(|it| it.is_ascii_hexdigit());
    match name.rsplit_once('-') {
        Some((rest, last)) if drawn(last) => rest,
        _ => name,
    }
}

/// Compares what is there with what should be: names that are missing were lost, names that are there more often are twins.
fn found(wanted: &Shape, now: &Shape) -> Found {
    let mut found = Found::default();
    for (kind, names) in wanted {
        let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for name in names {
            counts.entry(steady(name)).or_default().0 += 1;
        }
        for name in &now[kind] {
            counts.entry(steady(name)).or_default().1 += 1;
        }
        for (name, (wanted, there)) in counts {
            if wanted != there {
                eprintln!("{kind} `{name}`: {there} in place of {wanted}");
            }
            found.lost += wanted.saturating_sub(there);
            found.twins += there.saturating_sub(wanted);
        }
    }
    found
}

/// Something that goes away for a while under an apply, which waits for it and ends well.
struct Outage {
    what: &'static str,
    /// Who is away when the apply begins. A worker that is stopped in the middle of its work loses it, and what it worked on
    /// stays as it is until an operator comes, Octavia's for one; so work finds it away, and waits for it.
    away: Option<&'static str>,
    /// What happens while the apply runs; who was away comes back after it.
    happens: fn(&Life),
}

const OUTAGES: [Outage; 5] = [
    Outage {
        what: "tokens that expire in the middle",
        away: None,
        happens: |life| {
            sleep(Duration::from_secs(4));
            life.project.revoke_tokens();
            forget_tokens();
        },
    },
    Outage {
        what: "octavia-worker stopped and started",
        away: Some("octavia-worker"),
        happens: |life| {
            life.work_waits("load_balancer", "provisioning_status", "PENDING_CREATE");
        },
    },
    Outage {
        what: "cinder-volume stopped and started",
        away: Some("cinder-volume"),
        happens: |life| life.work_waits("volume", "status", "creating"),
    },
    Outage {
        what: "nova-compute stopped and started",
        away: Some("nova-compute"),
        happens: |life| life.work_waits("server", "status", "BUILD"),
    },
    Outage {
        what: "Keystone down for 20 s",
        away: None,
        happens: |_| {
            sleep(Duration::from_secs(2));
            let stopped = Stopped::stop("keystone");
            sleep(Duration::from_secs(20));
            drop(stopped);
        },
    },
];

#[test]
fn services_that_go_away_for_a_while_are_waited_for() {
    if left_to_a_drill("services that go away for a while") {
        return;
    }
    let Some(life) = Life::begin() else { return };
    weathered(&life);
    let found = life.stands();
    let what = "tokens revoked, octavia-worker, cinder-volume, nova-compute stopped and started, Keystone down for 20 s";
    life.ends(what, OUTAGES.len() as u64, 1, found);
}

/// One apply during which all of them happen, one after the other.
fn weathered(life: &Life) {
    let mut away = OUTAGES.map(|it| it.away.map(Stopped::stop));
    let child = life.start();
    let began = Instant::now();
    for (outage, away) in OUTAGES.iter().zip(&mut away) {
        eprintln!("after {:?}: {}", began.elapsed(), outage.what);
        (outage.happens)(life);
        drop(away.take());
    }
    let (well, said) = life.end(child);
    assert!(well, "{said}");
    assert!(
        !said.contains("is incomplete"),
        "all was waited for: {said}"
    );
}

#[test]
fn what_fails_half_way_is_told_and_the_next_apply_goes_on() {
    if left_to_a_drill("a machine in ERROR and a quota that runs out") {
        return;
    }
    let Some(life) = Life::beside_others() else {
        return;
    };
    let mut cases = 0;

    // A machine that goes to ERROR, however often it is made.
    let ours = format!("{}/library-queue fault-abort\n", life.project.id);
    let order = Order::give("server-faults", &ours);
    let (well, said) = life.end(life.start());
    drop(order);
    assert!(!well, "a machine did not come up: {said}");
    assert!(
        said.contains("invenioils_service.this[\"queue\"]") && said.contains("injected fault"),
        "which one, and what the cloud said of it: {said}"
    );
    cases += 1;

    // A quota that was enough when all was planned, and is not when the machines of the instance are made.
    let servers = life.project.inventory().all("server").len() as u64;
    let child = life.start();
    sleep(Duration::from_secs(4));
    life.project
        .quota(&json!({ "instances": servers + 1 }), &json!({}));
    let (well, said) = life.end(child);
    life.project.quota(&json!({ "instances": 200 }), &json!({}));
    assert!(!well, "there was no room for all: {said}");
    assert!(said.to_lowercase().contains("quota"), "{said}");
    cases += 1;

    life.workspace.apply();
    let found = life.stands();
    let what = "a machine in ERROR, then a quota that runs out half-way and is raised";
    life.ends(what, cases, 3, found);
}

/// The longest that Terraform says it took for one resource, in seconds: `Creation complete after 1m2s`.
fn longest(said: &str) -> u64 {
    let times = said.split(" complete after ").skip(1).map(|rest| {
        let time = rest.split_whitespace().next().unwrap_or_default();
        let (minutes, seconds) = time.split_once('m').unwrap_or(("0", time));
        let number = |text: &str| text.parse::<u64>().expect("a number");
        number(minutes) * 60 + number(seconds.trim_end_matches('s'))
    });
    times.max().expect("something was made")
}

#[test]
fn what_never_ends_is_given_up_at_its_deadline_and_the_next_apply_goes_on() {
    if left_to_a_drill("what waits until its deadline") {
        return;
    }
    let Some(life) = Life::begin() else { return };
    let soon = "  timeouts = { create = \"40s\" }\n}\n";
    let whole = life.workspace.read("main.tf");
    // Every resource ends with a brace in the first column.
    let impatient = whole
        .replace("\n}\n", &format!("\n{soon}"))
        .replacen(soon, "}\n", 2);
    life.workspace.write("main.tf", &impatient);

    // What takes too long is kept, and told as a warning: an error would make Terraform replace it.
    let late = |life: &Life, state: &str| {
        let done = life.workspace.run(&["apply", "-auto-approve"]);
        let said = crate::terraform::workspace::unwrapped(&done.to_string());
        assert!(
            said.contains("is incomplete") && said.contains(state),
            "{said}"
        );
        assert!(said.contains("apply again"), "what to do: {said}");
        // of what is waited for, not of what stands before it in the way of a busy cloud
        let took = longest(&done.stdout);
        eprintln!("given up after {took} s");
        assert!((40..70).contains(&took), "the deadline is kept: {done}");
        life.healthy
            .borrow_mut()
            .extend(well(&life.project.inventory()));
    };
    let worker = Stopped::stop("octavia-worker");
    late(&life, "is PENDING_");
    drop(worker);

    // The instance anew, on ports that stay DOWN: it comes up as far as Nova lets it.
    let order = Order::give("agents-paused", "");
    let replace = [
        "apply",
        "-auto-approve",
        "-replace=invenioils_instance.this",
    ];
    let done = life.workspace.run(&replace);
    let down = life.project.inventory();
    let down = down
        .all("port")
        .iter()
        .filter(|it| it["status"] == "DOWN")
        .count();
    drop(order);
    assert!(down >= 3, "the ports stayed DOWN: {down}; {done}");

    life.workspace.write("main.tf", &whole);
    let applied = life.workspace.run(&["apply", "-auto-approve"]);
    assert_eq!(applied.code, 0, "{applied}");
    life.until("server", 7);
    let found = life.stands();
    life.ends(
        "a load balancer that stays PENDING and ports that stay DOWN until the deadline",
        2,
        4,
        found,
    );
}
