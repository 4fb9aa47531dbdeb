//! The outlet of a session that has no egress service: everything that arrives is refused, told why, and recorded.
//!
//! Nothing here speaks HTTP or TLS. The first bytes decide which of two fixed answers is written, so that the program in
//! the bottle shows its person a reason instead of a broken connection. The bottle is hostile: what it sends is bounded in
//! size and time, and only a method and a host of it are kept.

mod asked;
mod classify;
mod dns;
mod refusal;
mod serve;

pub use refusal::MESSAGE as REFUSED_BECAUSE;
pub use serve::ClosedOutlet;
