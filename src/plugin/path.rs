//! Where in an object a value stands. Knows steps, not schemas.

use std::fmt;

/// The way from the root of an object to one value: `web.nodes`, `rules[0].port`, `labels["a b"]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Path {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// An attribute of an object, or a block.
    Attr(String),
    /// An element of a map.
    Key(String),
    /// An element of a list. Elements of sets have no address: their path is the set's.
    Index(i64),
}

impl Path {
    pub fn root() -> Path {
        Path::default()
    }

    #[must_use]
    pub fn attr(mut self, name: impl Into<String>) -> Path {
        self.steps.push(Step::Attr(name.into()));
        self
    }

    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Path {
        self.steps.push(Step::Key(key.into()));
        self
    }

    #[must_use]
    pub fn index(mut self, index: i64) -> Path {
        self.steps.push(Step::Index(index));
        self
    }

    #[must_use]
    pub fn step(mut self, step: Step) -> Path {
        self.steps.push(step);
        self
    }

    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    pub fn starts_with(&self, other: &Path) -> bool {
        self.steps.starts_with(&other.steps)
    }

    /// The path without its last step; the root has no parent.
    pub fn parent(&self) -> Option<Path> {
        let (_, rest) = self.steps.split_last()?;
        Some(Path {
            steps: rest.to_vec(),
        })
    }

    /// Reads what [`Display`](fmt::Display) writes: names with dots between, `[3]`, `["key"]`.
    ///
    /// # Errors
    /// Says at which character the text stops being a path.
    pub fn parse(text: &str) -> Result<Path, String> {
        let wrong = |rest: &str| {
            Err(format!(
                "`{text}` is no attribute path: cannot read `{rest}`"
            ))
        };
        let mut path = Path::root();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix("[\"") {
                let Some((key, after)) = quoted(inside) else {
                    return wrong(rest);
                };
                path = path.key(key);
                rest = after;
            } else if let Some(inside) = rest.strip_prefix('[') {
                let Some((index, after)) = inside.split_once(']') else {
                    return wrong(rest);
                };
                let Ok(index) = index.parse() else {
                    return wrong(rest);
                };
                path = path.index(index);
                rest = after;
            } else {
                let named = if path.is_root() {
                    rest
                } else {
                    match rest.strip_prefix('.') {
                        Some(named) => named,
                        None => return wrong(rest),
                    }
                };
                let end = named.find(['.', '[']).unwrap_or(named.len());
                if end == 0 {
                    return wrong(rest);
                }
                path = path.attr(&named[..end]);
                rest = &named[end..];
            }
        }
        Ok(path)
    }
}

/// The text up to the closing `"]`, with escapes resolved, and what follows.
fn quoted(inside: &str) -> Option<(String, &str)> {
    let mut key = String::new();
    let mut chars = inside.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => key.push(chars.next()?.1),
            '"' => return Some((key, inside[at + 1..].strip_prefix(']')?)),
            c => key.push(c),
        }
    }
    None
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            match step {
                Step::Attr(name) if at == 0 => f.write_str(name)?,
                Step::Attr(name) => write!(f, ".{name}")?,
                Step::Key(key) => write!(
                    f,
                    "[\"{}\"]",
                    key.replace('\\', "\\\\").replace('"', "\\\"")
                )?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

/// A path written in the source: a text that is none is our own mistake and fails the first test that meets it.
impl From<&str> for Path {
    fn from(text: &str) -> Path {
        Path::parse(text).expect("a path written in the source reads as a path")
    }
}

impl From<&Path> for Path {
    fn from(path: &Path) -> Path {
        path.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_displayed_can_be_parsed() {
        for path in [
            Path::root(),
            Path::root().attr("web").attr("size"),
            Path::root()
                .attr("rules")
                .index(0)
                .attr("tags")
                .key("a \"b\" \\ ].c"),
        ] {
            assert_eq!(Path::parse(&path.to_string()).as_ref(), Ok(&path));
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["a..b", "a[", "a[x]", "a[\"b]", ".a", "a[1]b"] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }
}
