//! What stands behind a session's outlet: the egress service on its thread, the rules of the bottle, the person's credentials.

mod credentials;
mod later;
mod reload;
mod service;
mod signer;

pub use credentials::MissingCredential;
pub(crate) use credentials::{Lacking, check, codex_login, for_requests, sources};
pub(crate) use reload::{Begun, Reloads};
pub use reload::{PolicySource, Reloaded, Reloader};
pub(crate) use service::{Service, limits};
pub(crate) use signer::{Signer, making_authority};
