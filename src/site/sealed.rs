//! A private key or password in memory: no `Debug`, no `Display`, no serde, wiped on drop.

use zeroize::Zeroizing;

/// The only way to its text is [`Sealed::expose`], so that every use can be searched for.
#[derive(Clone)]
pub struct Sealed(Zeroizing<String>);

impl Sealed {
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }
    pub fn expose(&self) -> &str {
        &self.0
    }
}
