use std::ops::Range;

use super::Scalar;

/// A value and the bytes of its file that it stands at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub span: Range<usize>,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Scalar(Scalar),
    List(Vec<Node>),
    /// Keys are unique, in the order of the file.
    Map(Vec<(Key, Node)>),
}

/// A key of a map, as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub name: String,
    pub span: Range<usize>,
}

impl Node {
    /// What it is, for people.
    pub fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.what(),
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// Whether nothing is written there (`key:`, `~` or `null`).
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(Scalar::Null))
    }
}
