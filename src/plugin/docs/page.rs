//! A page of Markdown as it grows.

use crate::plugin::Type;

pub(super) struct Page {
    text: String,
}

/// The front matter, with the first sentence of a description.
pub(super) fn front(title: &str, doc: &str) -> String {
    let first = doc.trim().lines().next().unwrap_or_default();
    format!(
        "---\npage_title: \"{}\"\nsubcategory: \"\"\ndescription: |-\n  {first}\n---\n",
        title.replace('"', "\\\"")
    )
}

impl Page {
    pub fn new(front: String) -> Page {
        Page { text: front }
    }

    pub fn heading(&mut self, level: usize, title: &str) {
        self.gap();
        self.text
            .push_str(&format!("{} {title}\n", "#".repeat(level)));
    }

    /// A paragraph.
    pub fn text(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.gap();
            self.text.push_str(text);
            self.text.push('\n');
        }
    }

    /// One line of a list; the first one after other text needs a gap before it.
    pub fn item(&mut self, text: &str) {
        if !self.last_line().starts_with("- ") {
            self.gap();
        }
        self.text.push_str("- ");
        self.text.push_str(&one_line(text));
        self.text.push('\n');
    }

    pub fn anchor(&mut self, id: &str) {
        self.gap();
        self.text.push_str(&format!("<a id=\"{id}\"></a>\n"));
    }

    /// A heading right below its anchor.
    pub fn heading_here(&mut self, level: usize, title: &str) {
        self.text
            .push_str(&format!("{} {title}\n", "#".repeat(level)));
    }

    pub fn code(&mut self, code: &str, language: &str) {
        self.gap();
        self.text
            .push_str(&format!("```{language}\n{}\n```\n", code.trim_end()));
    }

    /// A section with an example, if there is one.
    pub fn example(&mut self, example: Option<String>, language: &str) {
        if let Some(example) = example {
            self.heading(2, "Example Usage");
            self.code(&example, language);
        }
    }

    /// An empty line, unless there is one.
    pub fn gap(&mut self) {
        if !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    pub fn finish(mut self) -> String {
        let length = self.text.trim_end().len();
        self.text.truncate(length);
        self.text.push('\n');
        self.text
    }

    fn last_line(&self) -> &str {
        self.text
            .trim_end_matches('\n')
            .lines()
            .last()
            .unwrap_or_default()
    }
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// A type as HCL writes it.
pub(super) fn hcl(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".into(),
        Type::Number => "number".into(),
        Type::String => "string".into(),
        Type::Dynamic => "dynamic".into(),
        Type::List(element) => format!("list of {}", hcl(element)),
        Type::Set(element) => format!("set of {}", hcl(element)),
        Type::Map(element) => format!("map of {}", hcl(element)),
        Type::Object(_) => "object".into(),
        Type::Tuple(_) => "tuple".into(),
    }
}
