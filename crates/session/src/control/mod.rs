//! `control.sock`: how other processes of the same person reach a session.
//!
//! A stream of frames (four bytes of length, little endian, then postcard), with descriptors beside them (`SCM_RIGHTS`,
//! `unix(7)`). One connection carries one request and, for `exec`, what belongs to it:
//!
//! ```text
//! Stop                           -> Stopping, then the end of the connection when the session is gone
//! Exec + stdin, stdout, stderr   -> Started, then Ended
//! Exec with a terminal           -> Started + the terminal, then Ended
//!     Resize, Signal                while it runs
//!                                -> Over, when the session ends first
//! anything                       -> Failed
//! ```
//! When the connection breaks before `Ended`, the program and all that it started are killed: it ends with whoever wanted it.
//!
//! Who may: the socket lies in a folder of mode 0700 and is 0600 itself, and the peer's user is checked (`SO_PEERCRED`).

mod client;
mod frames;
mod message;
mod server;
mod socket;

pub use client::{Client, ClientError, ExecCall};
pub use message::Farewell;
pub use server::{ControlServer, Ready};
