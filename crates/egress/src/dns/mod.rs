//! The resolver inside a bottle. It answers from the table and forwards nothing, so that a name is no way out.
//!
//! A name that a rule knows gets an address of 198.18.0.0/15 that stands for it in this bottle ([`Names`]); a connection to that
//! address is a connection to the name, which is looked up on the host when it is dialled. Everything else does not exist.

mod answer;
mod name;
mod names;

pub use answer::{Answer, MESSAGE_MAX, answer};
pub use names::Names;
