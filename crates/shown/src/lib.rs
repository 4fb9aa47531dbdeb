//! Names and texts that others chose, made safe to show: the one table of characters that never reach a terminal as they are.
//!
//! Layer 0: any crate may depend on it.

#![forbid(unsafe_code)]

mod shown;
mod steers;

pub use shown::Shown;
pub use steers::steers;
