//! The certificates that HTTPS trusts and shows, from files.

use crate::engine::{Error, Result};

pub fn certificates(path: &std::path::Path) -> Result<Vec<reqwest::Certificate>> {
    let wrong = || {
        Error::fatal(
            format!("read {}", path.display()),
            "it holds no PEM certificates",
        )
        .at("openstack.cacert_file")
    };
    let found =
        reqwest::Certificate::from_pem_bundle(&read(path, "cacert_file")?).map_err(|_| wrong())?;
    if found.is_empty() {
        Err(wrong())
    } else {
        Ok(found)
    }
}

pub fn read(path: &std::path::Path, attribute: &str) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|why| {
        Error::fatal(format!("read {}", path.display()), why.to_string())
            .at(format!("openstack.{attribute}"))
    })
}
