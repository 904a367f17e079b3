//! `clouds.yaml` and `secure.yaml`: finds them where openstacksdk does and lays one over the other. Knows no provider block.

use super::settings::Env;
use crate::engine::{Error, Result};
use serde_yaml_ng::{Mapping, Value};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// One cloud of the file, secrets laid over it.
pub struct CloudFile {
    name: String,
    path: PathBuf,
    cloud: Mapping,
}

impl CloudFile {
    pub fn source(&self) -> String {
        format!("cloud `{}` in {}", self.name, self.path.display())
    }
    pub fn auth(&self, key: &str) -> Option<String> {
        let nested = self
            .cloud
            .get("auth")
            .and_then(|auth| auth.get(key))
            .and_then(text);
        nested.or_else(|| self.top(key))
    }
    pub fn top(&self, key: &str) -> Option<String> {
        self.cloud.get(key).and_then(text)
    }
    pub fn verify(&self) -> Option<bool> {
        match self.cloud.get("verify")? {
            Value::Bool(verify) => Some(*verify),
            Value::String(word) => Some(!matches!(
                word.to_lowercase().as_str(),
                "false" | "no" | "0"
            )),
            _ => None,
        }
    }
    /// `network_endpoint_override: https://…`, by service type.
    pub fn endpoint_overrides(&self) -> BTreeMap<String, String> {
        let pairs = self.cloud.iter().filter_map(|(key, value)| {
            let service = key.as_str()?.strip_suffix("_endpoint_override")?;
            Some((service.replace('_', "-"), text(value)?))
        });
        pairs.collect()
    }
}

/// The cloud of that name.
pub fn find(name: &str, env: Env<'_>) -> Result<CloudFile> {
    let doing = format!("find cloud `{name}`");
    let Some((path, mut clouds)) = read_first(&candidates("clouds", "OS_CLIENT_CONFIG_FILE", env))?
    else {
        return Err(Error::fatal(doing, "there is no clouds.yaml in the working directory, in ~/.config/openstack or in /etc/openstack")
            .remedy("write one, or name it by OS_CLIENT_CONFIG_FILE")
            .at("openstack.cloud"));
    };
    let Some(Value::Mapping(cloud)) = clouds.remove(name) else {
        let known: Vec<_> = clouds.keys().filter_map(Value::as_str).collect();
        return Err(Error::fatal(
            doing,
            format!(
                "{} has no such cloud; it has {}",
                path.display(),
                known.join(", ")
            ),
        )
        .remedy("correct the name, or add the cloud to the file")
        .at("openstack.cloud"));
    };
    secured(name, path, cloud, env)
}

/// The only cloud of the file, where nobody named one.
pub fn only_one(env: Env<'_>) -> Result<Option<CloudFile>> {
    let Some((path, clouds)) = read_first(&candidates("clouds", "OS_CLIENT_CONFIG_FILE", env))?
    else {
        return Ok(None);
    };
    let mut entries = clouds.into_iter();
    match (entries.next(), entries.next()) {
        (Some((Value::String(name), Value::Mapping(cloud))), None) => {
            secured(&name, path, cloud, env).map(Some)
        }
        _ => Ok(None),
    }
}

fn secured(name: &str, path: PathBuf, mut cloud: Mapping, env: Env<'_>) -> Result<CloudFile> {
    let mut places = candidates("secure", "OS_CLIENT_SECURE_FILE", env);
    // A clouds.yaml that was named by the variable usually has its secure.yaml beside it.
    places.extend(path.parent().map(|folder| folder.join("secure.yaml")));
    if let Some((_, mut secrets)) = read_first(&places)?
        && let Some(Value::Mapping(over)) = secrets.remove(name)
    {
        lay_over(&mut cloud, over);
    }
    Ok(CloudFile {
        name: name.to_owned(),
        path,
        cloud,
    })
}

fn lay_over(below: &mut Mapping, over: Mapping) {
    for (key, value) in over {
        match (below.get_mut(&key), value) {
            (Some(Value::Mapping(inner)), Value::Mapping(value)) => lay_over(inner, value),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

fn candidates(stem: &str, variable: &str, env: Env<'_>) -> Vec<PathBuf> {
    if let Some(named) = env(variable) {
        return vec![named.into()];
    }
    let home = env("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| env("HOME").map(|home| Path::new(&home).join(".config")));
    let folders = [
        Some(PathBuf::new()),
        home.map(|config| config.join("openstack")),
        Some("/etc/openstack".into()),
    ];
    let in_folder = |folder: PathBuf| {
        ["yaml", "yml", "json"].map(|ending| folder.join(format!("{stem}.{ending}")))
    };
    folders.into_iter().flatten().flat_map(in_folder).collect()
}

fn read_first(places: &[PathBuf]) -> Result<Option<(PathBuf, Mapping)>> {
    let Some(path) = places.iter().find(|path| path.is_file()) else {
        return Ok(None);
    };
    let doing = format!("read {}", path.display());
    let wrong = |why: String| Error::fatal(&doing, why).at("openstack.cloud");
    let bytes = std::fs::read_to_string(path).map_err(|why| wrong(why.to_string()))?;
    // The parser's own message could quote a line with a password: only the place is told.
    let file: Value = serde_yaml_ng::from_str(&bytes).map_err(|why| match why.location() {
        Some(place) => wrong(format!(
            "it is no YAML: line {}, column {}",
            place.line(),
            place.column()
        )),
        None => wrong("it is no YAML".to_owned()),
    })?;
    match file.get("clouds") {
        Some(Value::Mapping(clouds)) => Ok(Some((path.clone(), clouds.clone()))),
        _ => Err(wrong("it has no `clouds`".to_owned())),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
