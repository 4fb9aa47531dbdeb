//! What stands behind a session's outlet: the egress service on its thread, the rules of the bottle, the person's credentials.

mod credentials;
mod reload;
mod service;
mod signer;

pub(crate) use credentials::{codex_login, for_requests, sources};
pub(crate) use reload::Reloads;
pub use reload::{PolicySource, Reloader};
pub(crate) use service::{Service, limits};
pub(crate) use signer::{Signer, making_authority};
