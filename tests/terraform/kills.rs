//! A process that dies, or is asked to stop, at any moment: the next apply goes on, and a destroy leaves nothing.

use super::{
    Workspace,
    library::SMALL,
    missing,
    simulated::{objects, recorded},
    tally::{Found, Tally},
    workspace::{kill_providers, signal},
};
use std::{
    collections::BTreeMap,
    process::{Child, ExitStatus},
    sync::OnceLock,
    thread::sleep,
    time::{Duration, Instant},
};

/// How many moments of an apply, and of a destroy: a sample in a test, all of them in a drill.
fn moments() -> u64 {
    if std::env::var_os("DRILL").is_some() {
        100
    } else {
        6
    }
}

/// xorshift: the same moments in every run.
struct Moments(u64);

impl Moments {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// A cloud that is slow enough for a signal to come in between.
fn slow() -> String {
    format!(
        "provider \"invenioils\" {{\n  owner = \"library-team\"\n  simulator = {{ latency = \"40ms\" }}\n}}\n{SMALL}"
    )
}

/// How often each thing's each step is in the cloud.
type Shape = BTreeMap<(String, String), u64>;

fn shape(workspace: &Workspace) -> Shape {
    let mut shape = Shape::new();
    for object in objects(workspace) {
        *shape.entry((object.thing, object.step)).or_default() += 1;
    }
    shape
}

/// What an apply that nobody disturbs brings, and the milliseconds of it and of a destroy.
fn undisturbed() -> &'static (Shape, u64, u64) {
    static SEEN: OnceLock<(Shape, u64, u64)> = OnceLock::new();
    SEEN.get_or_init(|| {
        let workspace = Workspace::new(&slow());
        let applied = workspace.apply();
        let shape = shape(&workspace);
        let destroyed = workspace.destroy();
        let millis = |took: Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        (shape, millis(applied.took), millis(destroyed.took))
    })
}

/// In turn: both at once, terraform alone, so that the provider notices by itself, and the provider alone.
fn strike(child: &mut Child, turn: u64) {
    match turn % 3 {
        0 => signal(child, "KILL", true),
        1 => signal(child, "KILL", false),
        _ => kill_providers(child),
    }
    let _ = child.wait();
    sleep(Duration::from_millis(300));
}

/// Terraform empties its state's file before it writes it, and may be killed in between. A destroy then knows of nothing; an
/// apply by the same owner has all back, and a destroy after it takes all away.
fn emptied(workspace: &Workspace) -> bool {
    let empty = workspace.read("terraform.tfstate").is_empty();
    if empty {
        eprintln!("terraform was killed while its state's file was empty");
        workspace.apply();
        workspace.settled();
    }
    empty
}

/// Terraform leaves its lock behind when it is killed.
fn unlock(workspace: &Workspace) {
    let _ = std::fs::remove_file(workspace.path(".terraform.tfstate.lock.info"));
}

/// Applies until all is there, compares it with an undisturbed apply, and takes all away.
fn judge(workspace: &Workspace) -> Found {
    let ready: Vec<String> = objects(workspace)
        .into_iter()
        .filter(|it| it.gone_at.is_none() && it.broken_at.is_none())
        .map(|it| it.id)
        .collect();
    workspace.apply();
    workspace.settled();
    let (wanted, now) = (&undisturbed().0, shape(workspace));
    let mut found = Found::default();
    for key in wanted
        .keys()
        .chain(now.keys().filter(|key| !wanted.contains_key(*key)))
    {
        let of = |shape: &Shape| shape.get(key).copied().unwrap_or_default();
        found.lost += of(wanted).saturating_sub(of(&now));
        found.twins += of(&now).saturating_sub(of(wanted));
    }
    let still = objects(workspace);
    found.destroyed = ready
        .iter()
        .filter(|id| !still.iter().any(|it| it.id == **id))
        .count() as u64;
    found
}

fn gone(workspace: &Workspace) -> u64 {
    workspace.destroy();
    assert_eq!(workspace.addresses(), Vec::<String>::new());
    objects(workspace).len() as u64
}

/// Lives side by side, for each of them mostly waits.
const LANES: u64 = 2;

/// Every so many moments one life, killed while it is made and while it is taken away. What was found, and how many kills
/// of a destroy left an empty state.
fn lives(lane: u64) -> (Found, u64) {
    let (_, applying, destroying) = undisturbed();
    let mut random = Moments(0x1cee_b00c_5eed_f00d + lane);
    let (mut sum, mut empty) = (Found::default(), 0);
    for moment in (lane..moments()).step_by(LANES as usize) {
        let workspace = Workspace::new(&slow());
        let mut child = workspace.start(&["apply", "-auto-approve"]);
        sleep(Duration::from_millis(random.below(*applying)));
        strike(&mut child, moment);
        unlock(&workspace);
        let mut found = judge(&workspace);

        let mut child = workspace.start(&["destroy", "-auto-approve"]);
        sleep(Duration::from_millis(random.below(*destroying)));
        strike(&mut child, moment + 1);
        unlock(&workspace);
        empty += u64::from(emptied(&workspace));
        found.left = gone(&workspace);
        if found != Found::default() {
            eprintln!("moment {moment}: {found:?}");
        }
        sum += found;
    }
    (sum, empty)
}

#[test]
fn killed_at_any_moment_the_next_apply_goes_on() {
    if missing() {
        return;
    }
    undisturbed();
    let (mut sum, mut empty) = (Found::default(), 0);
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| scope.spawn(move || lives(lane)))
            .collect();
        for lane in lanes {
            let (found, left_empty) = lane.join().expect("its lives");
            sum += found;
            empty += left_empty;
        }
    });
    eprintln!("{empty} kills of a destroy left an empty state, which an apply had back first");
    Tally {
        what: "SIGKILL of terraform, of the provider, or of both, during apply and destroy",
        platform: "simulator",
        cases: 2 * moments(),
        applies: 1,
        refused: 0,
        found: sum,
    }
    .tell();
}

/// Sends so many SIGINTs to a terraform that applies; gives how it ended.
fn interrupted(workspace: &Workspace, after: Duration, times: u32) -> ExitStatus {
    let mut child = workspace.start(&["apply", "-auto-approve"]);
    sleep(after);
    let asked = Instant::now();
    for time in 0..times {
        if time > 0 {
            sleep(Duration::from_millis(50));
        }
        signal(&child, "INT", false);
    }
    let status = child.wait().expect("terraform ends");
    // A call takes 40 ms here: two seconds beyond what is under way, and one for a busy machine.
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "took {:?}",
        asked.elapsed()
    );
    status
}

#[test]
fn interrupted_once_it_ends_soon_with_a_complete_state_and_the_next_apply_goes_on() {
    if missing() {
        return;
    }
    let mut sum = Found::default();
    let moments = [1200, 1800, 2500];
    for moment in moments {
        let workspace = Workspace::new(&slow());
        let status = interrupted(&workspace, Duration::from_millis(moment), 1);
        if !status.success() {
            // Whatever was made is in the state, and nothing has to be found again.
            let known = recorded(&workspace);
            let unknown: Vec<_> = objects(&workspace)
                .into_iter()
                .filter(|it| !known.contains(&it.id))
                .map(|it| format!("{} {} {}", it.kind, it.thing, it.step))
                .collect();
            assert!(unknown.is_empty(), "not in the state: {unknown:?}");
        }
        let mut found = judge(&workspace);
        found.left = gone(&workspace);
        sum += found;
    }
    Tally {
        what: "Ctrl-C during an apply: what was made is in the state",
        platform: "simulator",
        cases: moments.len() as u64,
        applies: 1,
        refused: 0,
        found: sum,
    }
    .tell();
}

#[test]
fn interrupted_twice_it_ends_at_once_and_the_next_apply_goes_on() {
    if missing() {
        return;
    }
    let workspace = Workspace::new(&slow());
    let status = interrupted(&workspace, Duration::from_millis(1500), 2);
    assert!(!status.success());
    unlock(&workspace);
    let mut found = judge(&workspace);
    found.left = gone(&workspace);
    Tally {
        what: "Ctrl-C twice during an apply",
        platform: "simulator",
        cases: 1,
        applies: 1,
        refused: 0,
        found,
    }
    .tell();
}
