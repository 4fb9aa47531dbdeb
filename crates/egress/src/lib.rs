//! The egress service: what leaves a bottle is judged here, one request at a time, and forwarded with the person's credentials.
//!
//! Layer 2: it sees an [`bottle::Outlet`] and never a bottle. Everything fails closed: what is not understood, not allowed or
//! not recordable does not pass.
//!
//! - [`Egress::serve`] answers whatever arrives: explicit proxy requests, transparent connections, DNS.
//! - [`Config`] is all it needs: a [`policy::Table`], [`Credentials`], an [`Authority`], trust roots, where to record.
//! - [`Control::reload`] swaps the table while it runs.

#![forbid(unsafe_code)]

mod body;
mod config;
mod credentials;
pub mod dns;
mod trust;
pub mod upstream;

pub use body::RequestBody;
pub use config::{Config, Limits};
pub use credentials::{CredentialError, Credentials};
pub use trust::{TrustError, TrustRoots};
