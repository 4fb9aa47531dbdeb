//! The session's side of the conversation with a helper.

mod capture;
mod channel;
mod control;
mod copy_in;
mod copy_out;
mod life;
mod process;
mod served;

pub use life::Life;
pub use served::{Owner, Served};
