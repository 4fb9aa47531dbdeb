//! Small readers that turn a YAML tree into checked values and report every problem on the way, never only the first.

mod fields;
mod reader;
mod section;

pub(crate) use fields::Fields;
pub(crate) use reader::Reader;
pub(crate) use section::{GoneKey, KeyDoc, Section};
