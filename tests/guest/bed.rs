//! Machines for tests: systemd containers that boot from our `user_data`. Knows `tests/guest/machine`, no role.

use invenioils::site::{
    Id, Role, Sealed, Service, ServiceKind, Sort, Thing,
    guest::{Access, Document, DocumentSource, Guest, Neighbour, user_data},
    secrets,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Mutex,
};

pub const ENVIRONMENT: &str = "library";
const FOLDER: &str = "/etc/invenioils/documents";
const SECRETS: &str = "/etc/invenioils/given-secrets.json";
/// Prints the processes that have a secret in their arguments.
const ARGUMENTS: &str = r#"
import contextlib, glob, json
with open("/etc/invenioils/given-secrets.json") as file:
    bundles = json.load(file)
secrets = [text for bundle in bundles.values() for name, text in bundle.items() if isinstance(text, str) and len(text) > 20
           and not text.startswith("-----") and name != "username" and "certificate" not in name and "ca_pem" not in name]
for path in glob.glob("/proc/[0-9]*/cmdline"):
    with contextlib.suppress(OSError), open(path, errors="replace") as file:
        words = file.read()
        if any(text in words for text in secrets):
            print(path, words.split("\0")[0])
"#;

/// The place where machines are made. None, and a loud word, where this machine cannot make any.
pub struct Bed {
    machines: Mutex<Vec<String>>,
    seeds: tempfile::TempDir,
    /// One test at a time, in other processes too: containers are heavy, and the machine is small.
    _turn: std::fs::File,
}

pub fn bed(test: &str) -> Option<Bed> {
    let lacks = |program: &str| Command::new(program).arg("--version").output().is_err();
    let missing: Vec<_> = ["systemd-nspawn", "mmdebstrap", "nft", "losetup", "nsenter"]
        .into_iter()
        .filter(|it| lacks(it))
        .collect();
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|out| out.stdout == b"0\n");
    if !root || !missing.is_empty() {
        let why = if root {
            format!("no {}", missing.join(", "))
        } else {
            "not root".to_owned()
        };
        crate::terraform::workspace::loud(&format!(
            "SKIPPED {test}: machines cannot be made here ({why})"
        ));
        return None;
    }
    let turn = std::fs::File::create(std::env::temp_dir().join("invenioils-guests.lock")).unwrap();
    turn.lock().unwrap();
    let bed = Bed {
        machines: Mutex::default(),
        seeds: tempfile::tempdir().unwrap(),
        _turn: turn,
    };
    // what a test left that was killed; nobody else is at it now
    bed.script(&["down"]);
    bed.script(&["bed"]);
    Some(bed)
}

impl Bed {
    pub fn try_script(&self, words: &[&str]) -> Output {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest/machine");
        Command::new(path).args(words).output().unwrap()
    }
    pub fn script(&self, words: &[&str]) -> String {
        let out = self.try_script(words);
        assert!(
            out.status.success(),
            "machine {}\n{}{}",
            words.join(" "),
            String::from_utf8_lossy(&out.stdout),
            String::from_utf8_lossy(&out.stderr)
        );
        String::from_utf8(out.stdout).unwrap()
    }

    /// Boots a machine as a cloud would: from `user_data` alone; its document and secrets lie where it is told.
    pub fn start(&self, it: &Planned) {
        let seed = self.seeds.path().join(it.guest.name());
        let put = |path: &str, text: &str| {
            let path = seed.join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put(
            &format!("files{FOLDER}/main.json"),
            &serde_json::to_string(&it.document).unwrap(),
        );
        for (name, text) in &it.more_documents {
            put(&format!("files{FOLDER}/{name}.json"), text);
        }
        put(&format!("files{SECRETS}"), &it.secrets());
        let access = Access::File {
            path: SECRETS.to_owned(),
        };
        std::fs::write(
            seed.join("user-data"),
            user_data(&it.guest, &access).bytes(),
        )
        .unwrap();
        let name = it.guest.name();
        let mut words = vec!["start", &name, it.address(), seed.to_str().unwrap()];
        if let Some(volume) = &it.volume {
            words.push(volume.to_str().unwrap());
        }
        self.machines.lock().unwrap().push(name.clone());
        self.script(&words);
    }
    pub fn ready(&self, name: &str) {
        self.script(&["wait", name]);
    }
    /// Runs something in a machine by its shell.
    pub fn shell(&self, name: &str, command: &str) -> String {
        self.script(&["run", name, "sh", "-c", command])
            .trim()
            .to_owned()
    }
    pub fn fails(&self, name: &str, command: &str) -> bool {
        !self
            .try_script(&["run", name, "sh", "-c", command])
            .status
            .success()
    }
    /// Takes them down in order and boots them a second time, all at once.
    pub fn reboot(&self, names: &[&str]) {
        for name in names {
            self.script(&["stop", name]);
        }
        for name in names {
            self.script(&["again", name]);
        }
        for name in names {
            self.ready(name);
        }
    }
    /// An empty disk, as a cloud gives a volume.
    pub fn volume(&self, id: &str) -> PathBuf {
        let path = self.seeds.path().join(id);
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(2 << 30).unwrap();
        path
    }
    /// What holds for every machine, whatever its role.
    pub fn sound(&self, name: &str) {
        let state = self.shell(name, "systemctl is-system-running --wait || true");
        let failed = self.shell(name, "systemctl --failed --no-legend --plain");
        assert!(failed.is_empty(), "{name} is {state}: {failed}");
        let cloud_init = self.shell(name, "cloud-init status --long || true");
        assert!(cloud_init.contains("status: done"), "{cloud_init}");
        // no secret where others could read it
        let words = self.shell(name, &format!("python3 -c \"import json;[print(v) for b in json.load(open('{SECRETS}')).values() for k,v in b.items() if 'certificate' not in k and 'ca_pem' not in k and k != 'username']\""));
        for secret in words
            .lines()
            .filter(|line| line.len() > 20 && !line.starts_with("-----"))
        {
            let open = self.shell(
                name,
                &format!("find /etc /run /var /srv /tmp /usr/local -xdev -type f -perm -o=r -size -1M -exec grep -l -F -e '{secret}' {{}} + 2>/dev/null | grep -v '^/proc' || true"),
            );
            assert!(
                open.is_empty(),
                "{name}: a secret can be read by everybody in {open}"
            );
        }
        // who looks has none in their own arguments: they are read in there
        let arguments = self.shell(name, &format!("python3 - <<'END'\n{ARGUMENTS}\nEND"));
        assert!(
            arguments.is_empty(),
            "{name}: a secret is in the arguments of {arguments}"
        );
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if std::env::var_os("GUEST_KEEP").is_some() {
            return;
        }
        for name in self.machines.lock().unwrap().iter() {
            if std::thread::panicking() {
                let told = self.try_script(&["log", name]);
                eprintln!("--- {name}\n{}", String::from_utf8_lossy(&told.stdout));
            }
            self.try_script(&["forget", name]);
        }
    }
}

/// A machine that is not yet there.
pub struct Planned {
    pub guest: Guest,
    pub document: Document,
    pub more_documents: BTreeMap<String, String>,
    pub bundles: BTreeMap<String, secrets::Bundle>,
    pub volume: Option<PathBuf>,
}

impl Planned {
    pub fn address(&self) -> &str {
        &self.document.nodes[self.guest.index as usize].address
    }
    fn secrets(&self) -> String {
        let texts = self
            .bundles
            .iter()
            .map(|(name, bundle)| format!("\"{name}\":{}", bundle.to_json().expose()));
        format!("{{{}}}", texts.collect::<Vec<_>>().join(","))
    }
}

/// The node of a service, told as a platform tells it.
pub fn service_node(
    kind: ServiceKind,
    index: u32,
    addresses: &[&str],
    settings: serde_json::Value,
    server: &secrets::Bundle,
) -> Planned {
    let service: Service = serde_json::from_value(serde_json::json!({
        "environment": ENVIRONMENT, "kind": kind, "name": kind.as_str(), "nodes": addresses.len(), "disk_gib": 10,
        "version": invenioils::site::version::newest(kind, None), "machine": { "size": "small" }, "settings": settings,
        "backend": (kind == ServiceKind::Storage).then_some("file"), "deletion_protection": true
    }))
    .unwrap();
    let id = service.id();
    let role = Role::from(kind);
    planned(
        id,
        role,
        index,
        addresses,
        Thing::Service(service),
        BTreeMap::from([(secrets::SERVER.to_owned(), server.clone())]),
    )
}

pub fn planned(
    id: Id,
    role: Role,
    index: u32,
    addresses: &[&str],
    thing: Thing,
    bundles: BTreeMap<String, secrets::Bundle>,
) -> Planned {
    let nodes = (0..)
        .zip(addresses)
        .map(|(index, address)| invenioils::site::guest::neighbour(&id, role, index, *address));
    let document = Document {
        format: 1,
        thing,
        cidr: "10.77.0.0/24".to_owned(),
        nodes: nodes.collect::<Vec<Neighbour>>(),
        volume: None,
        secrets: BTreeMap::new(),
        services: BTreeMap::new(),
        packages: Default::default(),
        ssh_public_key: None,
        alert_email: None,
    };
    let guest = Guest {
        environment: ENVIRONMENT.parse().unwrap(),
        thing: id,
        role,
        index,
        source: DocumentSource::Folder {
            path: FOLDER.to_owned(),
        },
    };
    Planned {
        guest,
        document,
        more_documents: BTreeMap::new(),
        bundles,
        volume: None,
    }
}

/// A service's own secrets, made the way a platform makes them.
pub fn server_bundle(kind: ServiceKind) -> secrets::Bundle {
    let planned = service_node(
        kind,
        0,
        &["10.77.0.2"],
        serde_json::json!({}),
        &secrets::Bundle::default(),
    );
    let Thing::Service(service) = &planned.document.thing else {
        unreachable!("made above")
    };
    secrets::server_bundle(service, None, chrono::Utc::now()).unwrap()
}

pub fn id(sort: Sort, name: &str) -> Id {
    Id::within(sort, ENVIRONMENT.parse().unwrap(), name.parse().unwrap())
}

pub fn text(bundle: &secrets::Bundle, name: &str) -> Sealed {
    bundle.get(name).unwrap().clone()
}
