use std::fmt::Display;
use std::ops::Range;

use policy::Shown;

use super::{Fields, Section};
use crate::Diagnostic;
use crate::diagnostic::{Problems, nearest};
use crate::source::SourceFile;
use crate::yaml::{Kind, Node, Scalar};

/// Reads values of one file. Every method returns `None` after it has reported why.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub source: &'a SourceFile,
    problems: &'a Problems,
}

impl<'a> Reader<'a> {
    pub fn new(source: &'a SourceFile, problems: &'a Problems) -> Self {
        Self { source, problems }
    }

    pub fn report(self, diagnostic: Diagnostic) {
        self.problems.push(diagnostic);
    }

    /// Reports a problem with what may be a credential: it is not shown, in this problem or any other.
    pub fn report_hidden(self, span: &Range<usize>, message: impl Into<String>) {
        self.problems.hide(span.clone());
        self.report(self.error(span, message));
    }

    pub fn error(self, span: &Range<usize>, message: impl Into<String>) -> Diagnostic {
        self.source.diagnostic(span.clone(), message)
    }

    /// A map with the keys of `section`; nothing written is an empty map. Unknown keys are reported here.
    pub fn map<'n>(self, node: &'n Node, section: &'static Section) -> Option<Fields<'n>> {
        match &node.kind {
            Kind::Map(entries) => {
                let fields = Fields::new(node, entries);
                fields.check(self, section);
                Some(fields)
            }
            Kind::Scalar(Scalar::Null) => Some(Fields::new(node, &[])),
            Kind::Scalar(_) | Kind::List(_) => {
                let first = section.keys.first().map_or("key", |key| key.name);
                self.wrong_type(node, section.what, "a map", &format!("write keys and values, such as `{first}: …`"));
                None
            }
        }
    }

    /// A map with free keys; nothing written is an empty map.
    pub fn free_map<'n>(self, node: &'n Node, what: &str, example: &str) -> Option<Fields<'n>> {
        match &node.kind {
            Kind::Map(entries) => Some(Fields::new(node, entries)),
            Kind::Scalar(Scalar::Null) => Some(Fields::new(node, &[])),
            Kind::Scalar(_) | Kind::List(_) => {
                self.wrong_type(node, what, "a map", &format!("write keys and values, such as `{example}`"));
                None
            }
        }
    }

    /// A list; nothing written is an empty list.
    pub fn list<'n>(self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        match &node.kind {
            Kind::List(items) => Some(items),
            Kind::Scalar(Scalar::Null) => Some(&[]),
            Kind::Scalar(_) | Kind::Map(_) => {
                self.wrong_type(node, what, "a list", "write `[a, b]`, or one line `- a` for each");
                None
            }
        }
    }

    /// Whether an empty list stands there, or nothing.
    pub fn list_is_empty(self, node: &Node) -> bool {
        match &node.kind {
            Kind::List(items) => items.is_empty(),
            Kind::Scalar(scalar) => *scalar == Scalar::Null,
            Kind::Map(_) => false,
        }
    }

    /// A list, each item of which `item` reads; items that fail are left out.
    pub fn each<T>(self, node: &Node, what: &str, item: impl Fn(&Node) -> Option<T>) -> Option<Vec<T>> {
        Some(self.list(node, what)?.iter().filter_map(item).collect())
    }

    /// A text. Numbers and booleans are not taken for texts: `1.10` and `no` mean different things to different readers.
    pub fn text<'n>(self, node: &'n Node, what: &str) -> Option<&'n str> {
        match &node.kind {
            Kind::Scalar(Scalar::Text(text)) => Some(text),
            Kind::Scalar(scalar) => {
                let help = match scalar.text() {
                    Some(text) => format!("put it into quotes: \"{}\"", Shown(text)),
                    None => "write a text; for an empty one write \"\"".to_owned(),
                };
                self.wrong_type(node, what, "text", &help);
                None
            }
            Kind::List(_) | Kind::Map(_) => {
                self.wrong_type(node, what, "text", "write a single value");
                None
            }
        }
    }

    /// A text that `parse` takes.
    pub fn parsed<T, E: Display>(self, node: &Node, what: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let text = self.text(node, what)?;
        parse(text).map_err(|error| self.report(self.error(&node.span, format!("bad {what}: {error}")))).ok()
    }

    /// A text that names a credential. What stands there is never shown, because it may be the credential itself.
    pub fn credential_name<T, E: Display>(self, node: &Node, what: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let told = match &node.kind {
            Kind::Scalar(Scalar::Text(text)) => match parse(text) {
                Ok(value) => return Some(value),
                Err(error) => error.to_string(),
            },
            Kind::Scalar(_) | Kind::List(_) | Kind::Map(_) => format!("expected the name of a variable, found {}", node.what()),
        };
        self.report_hidden(&node.span, format!("bad {what}: {told}"));
        None
    }

    /// One of a few words.
    pub fn word<T: Copy>(self, node: &Node, what: &str, words: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(node, what)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let all: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let near = nearest(text, words.iter().map(|(word, _)| *word)).map(|near| format!("did you mean `{near}`?"));
        let message = format!("`{}` is not a known {what}: there are {}", Shown(text), all.join(", "));
        self.report(self.error(&node.span, message).help_if(near));
        None
    }

    /// `true` or `false`, and nothing that older YAML would also have read so.
    pub fn bool(self, node: &Node, what: &str) -> Option<bool> {
        if let Kind::Scalar(Scalar::Bool { value, .. }) = &node.kind {
            return Some(*value);
        }
        let text = match &node.kind {
            Kind::Scalar(Scalar::Text(text)) => text.to_lowercase(),
            Kind::Scalar(_) | Kind::List(_) | Kind::Map(_) => String::new(),
        };
        let help = match text.as_str() {
            "yes" | "y" | "on" | "true" => "write `true`, without quotes",
            "no" | "n" | "off" | "false" => "write `false`, without quotes",
            _ => "write `true` or `false`",
        };
        self.wrong_type(node, what, "true or false", help);
        None
    }

    pub fn wrong_type(self, node: &Node, what: &str, wanted: &str, help: &str) {
        let message = format!("{what} must be {wanted}, not {}", node.what());
        self.report(self.error(&node.span, message).label(format!("{} here", node.what())).help(help));
    }
}
