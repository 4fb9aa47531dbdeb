//! testkit
pub mod require;
pub use require::{is_required, require};
