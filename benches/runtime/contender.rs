//! The providers that are measured: where their binaries are, how the peer is built, and how long a start takes.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::plugin::host::{Launch, corner_binary};

#[derive(Clone)]
pub struct Contender {
    /// As terraform knows it: the beginning of its resources' names.
    pub name: &'static str,
    pub binary: PathBuf,
    launch: Launch,
}

impl Contender {
    fn new(name: &'static str, binary: PathBuf) -> Self {
        let launch = Launch::new(&binary);
        Self {
            name,
            binary,
            launch,
        }
    }

    /// Ours, with the resource that the peer has, too, and some twenty others.
    pub fn corner() -> Self {
        Self::new("corner", corner_binary().to_owned())
    }

    pub fn product() -> Self {
        let binary = env!("CARGO_BIN_EXE_terraform-provider-invenioils");
        Self::new("invenioils", binary.into())
    }

    /// The peer, built beside our own binaries. Nothing where it cannot be built, and that is said.
    pub fn peer() -> Option<Self> {
        let skipped = |why: &str| println!("\n!!! SKIPPED: the peer: {why}\n");
        if Command::new("protoc").arg("--version").output().is_err() {
            skipped(
                "its runtime needs `protoc` to compile (Debian: protobuf-compiler, libprotobuf-dev)",
            );
            return None;
        }
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peer/Cargo.toml");
        let folder = corner_binary().parent()?.parent()?.to_owned();
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--release", "--locked"]);
        build.arg("--manifest-path").arg(manifest);
        build.env("CARGO_TARGET_DIR", folder.parent()?);
        if !build.status().is_ok_and(|status| status.success()) {
            skipped("it could not be built (see above)");
            return None;
        }
        Some(Self::new("peer", folder.join("terraform-provider-peer")))
    }

    pub fn launch(&self) -> Launch {
        self.launch.clone().env("TF_LOG", "OFF")
    }

    pub fn megabytes(&self) -> f64 {
        std::fs::metadata(&self.binary).unwrap().len() as f64 / 1e6
    }

    /// One start, ended as soon as the handshake is there.
    pub fn start(&self) -> Duration {
        let mut command = self.launch().command();
        let began = Instant::now();
        let mut child = command.as_std_mut().spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let took = began.elapsed();
        assert!(line.starts_with("1|6|"), "a handshake of {}", self.name);
        child.kill().unwrap();
        child.wait().unwrap();
        took
    }
}
