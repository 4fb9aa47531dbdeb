//! The egress service from an outlet to servers on loopback.

mod answers;
mod credentials;
mod entrances;
mod framing;
mod inside;
mod limits;
mod origin;
mod records;
mod reload;
mod scene;
mod upgrades;
