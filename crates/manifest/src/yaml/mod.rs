//! The YAML of the front matter as a tree of values that know where they stand.

mod node;
mod parse;
mod scalar;

pub(crate) use node::{Key, Kind, Node};
pub(crate) use parse::parse;
pub(crate) use scalar::Scalar;
