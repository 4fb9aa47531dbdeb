//! The person's credentials, found on the host and kept in memory: variables, files, commands, and logins that are refreshed
//! by one owner for all bottles.
//!
//! Layer 2. Nothing here reads the environment or opens a connection: both are passed in ([`Host`], [`TokenEndpoint`]).
//!
//! - [`Sources::check`] before a launch: everything is there, or an error that says what to do.
//! - [`Sources::current`] for every request; [`Sources::rejected`] when the other end said no.
//!
//! A credential is never written anywhere but into the login file that it came from, by its owner.

#![forbid(unsafe_code)]

mod command;
mod endpoint;
mod error;
mod file;
mod host;
mod login;
mod pace;
mod remembered;
mod sources;
#[cfg(test)]
mod testing;
mod value;
mod variable;

pub use endpoint::{TokenAnswer, TokenEndpoint, TokenRequest, Unreachable};
pub use error::CredentialError;
pub use host::{Host, LoginFolder, LoginUrls, Variables};
pub use login::{ChatGptAccount, CodexLogin};
pub use sources::Sources;
