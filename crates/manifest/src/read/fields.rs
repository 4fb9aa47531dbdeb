use std::ops::Range;

use policy::Shown;

use super::{Reader, Section};
use crate::diagnostic::nearest;
use crate::yaml::{Key, Node};

/// The entries of a map.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'n> {
    span: &'n Range<usize>,
    entries: &'n [(Key, Node)],
}

impl<'n> Fields<'n> {
    pub fn new(node: &'n Node, entries: &'n [(Key, Node)]) -> Self {
        Self { span: &node.span, entries }
    }

    /// The value of `key`, if the key is there.
    pub fn get(self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|(_, node)| node)
    }

    /// `key` and its value, if the key is there.
    pub fn entry(self, key: &str) -> Option<&'n (Key, Node)> {
        self.entries.iter().find(|(own, _)| own.name == key)
    }

    pub fn entries(self) -> &'n [(Key, Node)] {
        self.entries
    }

    pub fn is_empty(self) -> bool {
        self.entries.is_empty()
    }

    /// Where to point when something is missing: the first key, since a whole map is too much to underline.
    pub fn place(self) -> Range<usize> {
        self.entries.first().map_or_else(|| self.span.clone(), |(key, _)| key.span.clone())
    }

    /// Reports a key that must be there.
    pub fn missing(self, reader: Reader<'_>, key: &str, section: &Section) {
        let example = section.keys.iter().find(|doc| doc.name == key).map_or("…", |doc| doc.example);
        reader.report(
            reader.error(&self.place(), format!("{} needs `{key}`", section.what)).help(format!("add `{key}: {example}`")),
        );
    }

    pub fn check(self, reader: Reader<'_>, section: &Section) {
        for (key, _) in self.entries {
            if section.keys.iter().any(|doc| doc.name == key.name) {
                continue;
            }
            if let Some(gone) = section.gone.iter().find(|gone| gone.name == key.name) {
                let message = format!("the key `{}` {}", gone.name, gone.why);
                reader.report(reader.error(&key.span, message).help(gone.instead));
                continue;
            }
            let names: Vec<&str> = section.keys.iter().map(|doc| doc.name).collect();
            let help = match nearest(&key.name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    format!("the keys here are {}", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
                }
            };
            let message = format!("unknown key `{}` in {}", Shown(&key.name), section.what);
            reader.report(reader.error(&key.span, message).label("unknown key").help(help));
        }
    }
}
