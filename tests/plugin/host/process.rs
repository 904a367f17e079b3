//! Starting a provider, its handshake line, its log lines, and the connection.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use base64::Engine;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::{Child, Command};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

use super::pki::{self, Identity};
use crate::plugin::wire::plugin::grpc_controller_client::GrpcControllerClient;

const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/// Generous: the machine may be busy. Every wait in these tests has an end.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How a provider is to be started.
#[derive(Clone)]
pub struct Launch {
    pub binary: PathBuf,
    pub identity: Option<Identity>,
    pub environment: Vec<(String, String)>,
    pub folder: Option<PathBuf>,
}

impl Launch {
    /// As Terraform starts it, with mutual TLS.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self {
            binary: binary.into(),
            identity: Some(Identity::fresh()),
            environment: Vec::new(),
            folder: None,
        }
    }

    /// The corner provider of these tests.
    pub fn corner() -> Self {
        Self::new(corner_binary())
    }

    /// The product.
    pub fn product() -> Self {
        Self::new(env!("CARGO_BIN_EXE_terraform-provider-invenioils"))
    }

    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub fn plain(mut self) -> Self {
        self.identity = None;
        self
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .env_clear()
            .env("TF_PLUGIN_MAGIC_COOKIE", COOKIE)
            .env("PLUGIN_MIN_PORT", "10000")
            .env("PLUGIN_MAX_PORT", "25000")
            .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
            .env("RUST_BACKTRACE", "1");
        for name in ["PATH", "HOME", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Some(identity) = &self.identity {
            command.env("PLUGIN_CLIENT_CERT", identity.pem());
        }
        command
            .envs(self.environment.iter().cloned())
            .current_dir(self.folder.as_deref().unwrap_or(Path::new("/")))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub async fn start(&self) -> Process {
        let mut child = self.command().spawn().unwrap();
        let logs = gather(child.stderr.take().unwrap());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line())
            .await
            .expect("a handshake line in time")
            .unwrap()
            .unwrap_or_else(|| panic!("no handshake; the log: {}", logs.lock().unwrap()));
        Process {
            child,
            handshake: Handshake::parse(&line),
            identity: self.identity.clone(),
            logs,
        }
    }
}

/// The fields of the handshake line.
#[derive(Debug, Clone)]
pub struct Handshake {
    pub protocol: String,
    pub network: String,
    pub address: PathBuf,
    pub certificate: Option<CertificateDer<'static>>,
}

impl Handshake {
    fn parse(line: &str) -> Self {
        let fields: Vec<&str> = line.split('|').collect();
        let [core, protocol, network, address, kind, certificate] = fields[..] else {
            panic!("a handshake of six fields, not {line:?}");
        };
        assert_eq!((core, kind), ("1", "grpc"), "in {line:?}");
        let certificate = (!certificate.is_empty()).then(|| {
            let der = base64::engine::general_purpose::STANDARD_NO_PAD.decode(certificate);
            der.expect("base64 without padding").into()
        });
        Self {
            protocol: protocol.into(),
            network: network.into(),
            address: address.into(),
            certificate,
        }
    }
}

/// A running provider.
pub struct Process {
    pub child: Child,
    pub handshake: Handshake,
    identity: Option<Identity>,
    logs: Arc<Mutex<String>>,
}

impl Process {
    pub fn pid(&self) -> u32 {
        self.child.id().expect("a process that still runs")
    }

    /// Everything written to standard error so far.
    pub fn logs(&self) -> String {
        self.logs.lock().unwrap().clone()
    }

    /// A connection as Terraform makes it.
    pub async fn connect(&self) -> Channel {
        self.connect_as(self.identity.clone()).await.unwrap()
    }

    /// A connection that shows somebody's certificate, or none.
    pub async fn connect_as(
        &self,
        identity: Option<Identity>,
    ) -> Result<Channel, tonic::transport::Error> {
        connect(&self.handshake, identity).await
    }

    /// Asks the process to end, as Terraform does, and waits for it.
    pub async fn shutdown(mut self) -> (ExitStatus, String) {
        let channel = self.connect().await;
        let _ = GrpcControllerClient::new(channel)
            .shutdown(crate::plugin::messages::Empty {})
            .await;
        let status = self.ended().await;
        // What was written last may still be on its way.
        tokio::time::sleep(Duration::from_millis(20)).await;
        (status, self.logs())
    }

    pub async fn ended(&mut self) -> ExitStatus {
        tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .expect("the process ends in time")
            .unwrap()
    }

    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }
}

/// Sends a signal by name, `INT` or `TERM`.
pub fn signal(pid: u32, name: &str) {
    let done = std::process::Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .status()
        .unwrap();
    assert!(done.success(), "kill -{name} {pid}");
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub async fn connect(
    handshake: &Handshake,
    identity: Option<Identity>,
) -> Result<Channel, tonic::transport::Error> {
    let network = handshake.network.clone();
    assert!(["unix", "tcp"].contains(&network.as_str()), "{network}");
    let tls = handshake
        .certificate
        .clone()
        .map(|server| TlsConnector::from(Arc::new(pki::client_config(server, identity))));
    let path = handshake.address.clone();
    let connector = tower::service_fn(move |_| {
        let (path, tls, tcp) = (path.clone(), tls.clone(), network == "tcp");
        async move {
            let stream: Box<dyn Stream> = match path.to_str() {
                Some(address) if tcp => Box::new(TcpStream::connect(address).await?),
                _ => Box::new(UnixStream::connect(path).await?),
            };
            let stream: Box<dyn Stream> = match tls {
                None => stream,
                Some(tls) => {
                    let name = ServerName::try_from("localhost").unwrap();
                    Box::new(tls.connect(name, stream).await?)
                }
            };
            Ok::<_, std::io::Error>(TokioIo::new(stream))
        }
    });
    Endpoint::from_static("http://plugin")
        .connect_timeout(PATIENCE)
        .connect_with_connector(connector)
        .await
}

fn gather(stderr: tokio::process::ChildStderr) -> Arc<Mutex<String>> {
    let logs = Arc::new(Mutex::new(String::new()));
    let kept = logs.clone();
    tokio::spawn(async move {
        let mut lines = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut kept = kept.lock().unwrap();
            kept.push_str(&line);
            kept.push('\n');
        }
    });
    logs
}

/// The corner provider, built if it is not current: cargo does not build examples when it is asked for one test binary.
pub fn corner_binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let tests = std::env::current_exe().unwrap();
        let profile = tests.parent().and_then(Path::parent).unwrap();
        let mut build = std::process::Command::new(env!("CARGO"));
        build
            .args(["build", "--quiet", "--example", "corner"])
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        // What cargo tells a test would make this build differ from others, and so be made again and again.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CARGO_") && name != "CARGO_HOME" {
                build.env_remove(name);
            }
        }
        build.env("CARGO_TARGET_DIR", profile.parent().unwrap());
        if profile.ends_with("release") {
            build.arg("--release");
        }
        assert!(
            build.status().unwrap().success(),
            "the corner provider is built"
        );
        let built = profile.join("examples").join("corner");
        // Terraform finds a provider by the name of its file.
        let folder = profile.join("corner-bin");
        std::fs::create_dir_all(&folder).unwrap();
        let named = folder.join("terraform-provider-corner");
        let fresh = folder.join(format!("new-{}", std::process::id()));
        std::fs::copy(&built, &fresh).unwrap();
        std::fs::rename(&fresh, &named).unwrap();
        named
    })
}
