//! Names and ids: ids are made of names, so they are known in the plan and read well.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// `[a-z]([-a-z0-9]{0,38}[a-z0-9])?`: fits host names, DNS labels and every cloud's name rules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let bytes = text.as_bytes();
        let inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
        let good = (1..=40).contains(&bytes.len())
            && bytes[0].is_ascii_lowercase()
            && bytes.iter().all(inner)
            && bytes[bytes.len() - 1] != b'-';
        if good {
            Ok(Self(text))
        } else {
            Err(format!(
                "`{text}` is not a name: at most 40 lower-case letters, digits and hyphens, a letter first, no hyphen at the end"
            ))
        }
    }
}

impl FromStr for Name {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::try_from(text.to_owned())
    }
}
impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0
    }
}
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The five kinds of thing a user declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    Environment,
    Service,
    Certificate,
    Instance,
    BackupPolicy,
}

impl Sort {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Service => "service",
            Self::Certificate => "certificate",
            Self::Instance => "instance",
            Self::BackupPolicy => "backup_policy",
        }
    }
}

/// Which thing: its sort, its environment, and its name there (none for the environment itself).
///
/// As text without the sort: `library`, `library/database`. Unique within one project (tenant, namespace, account).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Id {
    pub sort: Sort,
    pub environment: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
}

impl Id {
    pub fn environment(name: Name) -> Self {
        Self {
            sort: Sort::Environment,
            environment: name,
            name: None,
        }
    }
    pub fn within(sort: Sort, environment: Name, name: Name) -> Self {
        Self {
            sort,
            environment,
            name: Some(name),
        }
    }
    /// Reads an id as users write it.
    pub fn parse(sort: Sort, text: &str) -> Result<Self, String> {
        match (sort, text.split_once('/')) {
            (Sort::Environment, None) => Ok(Self::environment(text.parse()?)),
            (Sort::Environment, Some(_)) => Err(format!(
                "`{text}` is not the id of an environment: that is its name alone"
            )),
            (_, Some((environment, name))) => {
                Ok(Self::within(sort, environment.parse()?, name.parse()?))
            }
            (_, None) => Err(format!(
                "`{text}` is not an id of this kind: write `<environment>/<name>`"
            )),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => write!(f, "{}", self.environment),
            Some(name) => write!(f, "{}/{name}", self.environment),
        }
    }
}
