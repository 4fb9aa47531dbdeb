//! What a connection says first: enough is read, and kept, to tell what it is and whom it names.

mod client_hello;
mod first_bytes;
mod prefixed;

pub(crate) use client_hello::MAX as HELLO_MAX;
pub use client_hello::{ClientHello, Hello, Malformed, client_hello};
pub use first_bytes::{FirstBytes, first_bytes};
pub(crate) use prefixed::{More, Prefixed};
