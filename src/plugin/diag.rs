//! What a user is told. Knows nothing of how it came about.

use super::Path;
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// One message to the user.
///
/// Terraform leaves the path out where the attribute does not stand in the configuration, so the text names the
/// attribute too: where neither summary nor detail mentions it, the runtime adds it on the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diag {
    pub severity: Severity,
    /// One line: what went wrong.
    pub summary: String,
    /// What was said, and what to do next. May be empty.
    pub detail: String,
    pub path: Option<Path>,
}

impl Diag {
    pub fn error(summary: impl Into<String>) -> Diag {
        Diag {
            severity: Severity::Error,
            summary: summary.into(),
            detail: String::new(),
            path: None,
        }
    }

    pub fn warning(summary: impl Into<String>) -> Diag {
        Diag {
            severity: Severity::Warning,
            ..Diag::error(summary)
        }
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Diag {
        self.detail = detail.into();
        self
    }

    /// The attribute that is to blame.
    #[must_use]
    pub fn at(mut self, path: impl Into<Path>) -> Diag {
        let path = path.into();
        self.path = (!path.is_root()).then_some(path);
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.summary)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

/// Messages in the order in which they came up. As an `Err` it may hold warnings beside the error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diags(Vec<Diag>);

impl Diags {
    pub fn new() -> Diags {
        Diags::default()
    }

    pub fn push(&mut self, diag: impl Into<Diag>) {
        self.0.push(diag.into());
    }

    pub fn extend(&mut self, more: impl IntoIterator<Item = Diag>) {
        self.0.extend(more);
    }

    pub fn has_errors(&self) -> bool {
        self.0.iter().any(Diag::is_error)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Diag> {
        self.0.iter()
    }

    /// `Ok` if there is no error among them; warnings are then given to `warnings`.
    ///
    /// # Errors
    /// All of them, warnings included, if there is an error among them.
    pub fn settle(self, warnings: &mut Diags) -> Result<(), Diags> {
        if self.has_errors() {
            return Err(self);
        }
        warnings.extend(self);
        Ok(())
    }
}

impl From<Diag> for Diags {
    fn from(diag: Diag) -> Diags {
        Diags(vec![diag])
    }
}

impl From<Vec<Diag>> for Diags {
    fn from(diags: Vec<Diag>) -> Diags {
        Diags(diags)
    }
}

impl FromIterator<Diag> for Diags {
    fn from_iter<I: IntoIterator<Item = Diag>>(diags: I) -> Diags {
        Diags(diags.into_iter().collect())
    }
}

impl IntoIterator for Diags {
    type Item = Diag;
    type IntoIter = std::vec::IntoIter<Diag>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diags {
    type Item = &'a Diag;
    type IntoIter = std::slice::Iter<'a, Diag>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for Diags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, diag) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            diag.fmt(f)?;
        }
        Ok(())
    }
}
