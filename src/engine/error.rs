//! The one error type below the resource layer: `kind` is for code, the text is for people.

use std::fmt;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller may do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The cloud could not answer now (429, 503, 409 on a busy parent): try again.
    Busy,
    /// The answer was lost (connection cut, 500/502/504 after sending): the work may be done. Look, then try again.
    Unsure,
    /// The object is not there.
    Gone,
    /// The object exists and has failed by itself.
    Broken,
    /// The deadline passed while waiting.
    Late,
    /// The user interrupted the run.
    Stopped,
    /// Trying again cannot help: refused, unknown, malformed.
    Fatal,
}

/// "create port `web-0`: quota exceeded (req-…); raise the quota or use fewer nodes".
#[derive(Debug, Clone)]
pub struct Error {
    pub kind: Kind,
    /// What we were doing, without the cause: "create port `library/ils web-0`".
    pub doing: String,
    /// What the cloud said, or what we found.
    pub why: String,
    /// The cloud's own id of the failed request.
    pub request_id: Option<Box<str>>,
    /// What the user can do next.
    pub remedy: Option<String>,
    /// The attribute to blame, as a dotted path in the domain's words (`network.external_network`).
    pub at: Option<String>,
}

impl Error {
    pub fn new(kind: Kind, doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            kind,
            doing: doing.into(),
            why: why.into(),
            request_id: None,
            remedy: None,
            at: None,
        }
    }
    pub fn fatal(doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(Kind::Fatal, doing, why)
    }
    #[must_use]
    pub fn request_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.request_id = Some(id.into());
        self
    }
    #[must_use]
    pub fn remedy(mut self, next: impl Into<String>) -> Self {
        self.remedy = Some(next.into());
        self
    }
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.at = Some(path.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.why)?;
        if let Some(id) = &self.request_id {
            write!(f, " ({id})")?;
        }
        if let Some(next) = &self.remedy {
            write!(f, "; {next}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
