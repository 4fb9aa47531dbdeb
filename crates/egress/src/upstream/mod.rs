//! What leaves for the world: names are looked up here, addresses judged, connections made, kept and used again.
//!
//! - [`Upstreams::send`] forwards a request over HTTP/1.1 or HTTP/2, [`Upstreams::upgrade`] one that may change protocol,
//!   [`Upstreams::connect`] gives a connection for TLS that is passed on unopened.
//! - Only `dial` connects, and only to a `Checked` address, which only the check makes: a name is looked up once per
//!   connection and the very address that was judged is dialled, so that a second answer (DNS rebinding) has no effect.
//! - [`HttpsClient`] is for the host's own requests, such as refreshing a login, by the same rules.

mod address_policy;
mod again;
mod boot_clock;
mod checked;
mod dial;
mod failure;
mod http1;
mod http2;
mod https_client;
mod lane;
mod lanes;
mod lookup;
mod no_answer;
mod place;
mod resolve;
mod response_body;
mod target;
mod tasks;
mod tls;
mod upstreams;
mod way;

#[cfg(test)]
mod origin_for_tests;

pub use address_policy::{AddressKind, kind_of};
pub use checked::unreached;
pub use failure::Failure;
pub use https_client::{HttpsClient, Posted};
pub use lookup::Lookup;
pub use place::Share;
pub use response_body::ResponseBody;
pub use target::Target;
pub use upstreams::Upstreams;
