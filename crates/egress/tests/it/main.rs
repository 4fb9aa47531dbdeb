//! The egress service from an outlet to servers on loopback.

#![allow(clippy::disallowed_methods, reason = "tests connect and write files")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test's helpers fail the test")]
#![allow(dead_code, reason = "what an origin saw is kept whole, and not every part of it is looked at yet")]

mod answers;
mod attacks;
mod credentials;
mod entrances;
mod framing;
mod http2;
mod inside;
mod limits;
mod origin;
mod records;
mod reload;
mod scene;
mod tls;
mod tls_of_hosts;
mod upgrades;
