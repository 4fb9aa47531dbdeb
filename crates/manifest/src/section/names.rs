use std::ops::Range;

use crate::ManifestName;
use crate::read::Reader;
use crate::yaml::{Kind, Node, Scalar};

/// The name of a bottle and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameRef {
    pub name: ManifestName,
    pub span: Range<usize>,
}

pub(crate) fn one(reader: Reader<'_>, node: &Node, what: &str) -> Option<NameRef> {
    reader.parsed(node, what, ManifestName::parse).map(|name| NameRef { name, span: node.span.clone() })
}

/// A name, or a list of names, each once; nothing written is none.
pub(crate) fn several(reader: Reader<'_>, node: &Node, what: &str) -> Vec<NameRef> {
    match &node.kind {
        Kind::Scalar(Scalar::Null) => Vec::new(),
        Kind::Scalar(_) | Kind::Map(_) => one(reader, node, what).into_iter().collect(),
        Kind::List(items) => {
            let mut names: Vec<NameRef> = Vec::new();
            for name in items.iter().filter_map(|item| one(reader, item, what)) {
                if names.iter().any(|earlier| earlier.name == name.name) {
                    reader.report(reader.error(&name.span, format!("`{}` is named twice in {what}", name.name)).help("keep one"));
                } else {
                    names.push(name);
                }
            }
            names
        }
    }
}
