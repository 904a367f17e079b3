//! Something to tell the user about a field. Knows fields, not attributes of any tool.

/// Something to tell the user, at a dotted path of domain fields (`web.size`), empty for the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub at: String,
    pub refuses: bool,
    pub summary: String,
    pub detail: String,
}

impl Finding {
    /// Nothing may be made like this.
    pub fn refuse(
        at: impl Into<String>,
        summary: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            at: at.into(),
            refuses: true,
            summary: summary.into(),
            detail: detail.into(),
        }
    }
    /// It can be made, but the user should know.
    pub fn warn(
        at: impl Into<String>,
        summary: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            at: at.into(),
            refuses: false,
            summary: summary.into(),
            detail: detail.into(),
        }
    }
}
