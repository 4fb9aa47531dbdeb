//! The egress service: what leaves a bottle is judged here, one request at a time, and forwarded with the person's credentials.
//!
//! Layer 2: it sees an [`bottle::Outlet`] and never a bottle. Everything fails closed: what is not understood, not allowed or
//! not recordable does not pass.
//!
//! - [`Egress::serve`] answers whatever arrives: explicit proxy requests, transparent connections, DNS.
//! - [`Config`] is all it needs: a [`policy::Table`], [`Credentials`], an [`Authority`], trust roots, where to record.
//! - [`Control::reload`] swaps the table while it runs.

#![forbid(unsafe_code)]

mod answer;
mod authority;
mod body;
mod config;
mod connection;
mod credentials;
pub mod dns;
mod egress;
pub mod framing;
mod in_flight;
mod internal;
mod ledger;
pub mod opening;
mod place;
mod records;
mod refusal;
mod request;
mod state;
mod trust;
pub mod upstream;
mod written;

pub use answer::BodyError;
pub use authority::{Authority, AuthorityError};
pub use body::RequestBody;
pub use config::{Config, Limits};
pub use credentials::{CredentialError, Credentials};
pub use egress::{Control, Counts, Egress};
pub use internal::{Internal, InternalBody};
pub use trust::{TrustError, TrustRoots};
