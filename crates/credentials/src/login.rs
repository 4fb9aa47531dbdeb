//! The person's own logins of Claude Code and Codex: read where those programs keep them, refreshed here, written back.
//!
//! A refresh token is used once: the answer holds the next one, and whoever uses the old one again ends the login for everybody
//! (RFC 9700 §4.14.2). So one [`Owner`] in this process, one lock for all processes ([`store::Home::try_lock`]) and, for Claude
//! Code, that program's own lock ([`ProgramLock`]) stand before every refresh; after them the file is read again, because another
//! owner may have been there. Codex (0.169.0) locks its file while it writes and not while it asks: it reads the file again before
//! it refreshes, and so does this. What remains is that Codex itself asks in the very second in which this does.
//!
//! The answer is put back into the same file, so that the person's own program goes on working. Room for it is made before the
//! token is spent ([`store::Replacement`]), and the exchange has a thread of its own that no caller can give up half-way.

mod claude;
mod codex;
mod document;
mod error;
mod held;
mod jwt;
mod owner;
mod place;
mod program_lock;
mod renewal;

pub use codex::{ChatGptAccount, CodexLogin};
pub(crate) use document::Document;
pub(crate) use error::LoginError;
pub(crate) use held::Held;
pub(crate) use owner::{Owner, codex_login};
pub(crate) use place::{Place, Stamp};
pub(crate) use program_lock::ProgramLock;

#[cfg(test)]
mod tests;
