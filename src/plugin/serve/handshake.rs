//! What Terraform puts into the environment, and the one line that it reads in return.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;

/// The one major version that is spoken here. Minor versions never meet on the wire.
pub const PROTOCOL: u32 = 6;

/// Not a secret: it only tells a start by Terraform from a start by hand.
const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

pub fn started_by_terraform() -> bool {
    std::env::var_os("TF_PLUGIN_MAGIC_COOKIE").as_deref() == Some(OsStr::new(COOKIE))
}

/// The certificate that the host will show, PEM. The host leaves it out when TLS is switched off (`TF_DISABLE_PLUGIN_TLS`).
pub fn client_certificate() -> Option<String> {
    std::env::var("PLUGIN_CLIENT_CERT")
        .ok()
        .filter(|pem| !pem.is_empty())
}

/// Whether the host understands us. If not we say our version all the same: the host then tells its user which versions it
/// knows, which it cannot when the provider just ends.
pub fn host_speaks_our_version() -> bool {
    std::env::var("PLUGIN_PROTOCOL_VERSIONS").map_or(true, |versions| speaks(&versions))
}

fn speaks(versions: &str) -> bool {
    versions
        .split(',')
        .any(|version| version.trim().parse() == Ok(PROTOCOL))
}

/// Tells the host where to connect. `certificate` is ours, DER in base64, or empty without TLS.
///
/// # Errors
/// When standard output is closed: nobody waits for us.
pub fn announce(socket: &Path, certificate: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "1|{PROTOCOL}|unix|{}|grpc|{certificate}",
        socket.display()
    )?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_lists_the_versions_it_knows() {
        assert!(speaks("5,6"));
        assert!(speaks(" 6 "));
        assert!(!speaks("4,5"));
        assert!(!speaks("66"));
        assert!(!speaks(""));
    }
}
