//! Certificates: what makes a bottle's programs trust the authority that its session signs with.
//!
//! Every toolchain looks somewhere else, so the same certificates go to the places of several distributions ([`mod@places`]), in
//! the formats of OpenSSL ([`name_hash`]) and Java ([`key_store`]), and [`VARIABLES`] reach those that look at no place at all.
//! All of it is data made here: no program runs in the bottle for it, and nothing is copied but certificates.

mod certificate;
mod key_store;
mod name_hash;
mod places;
mod roots;
#[cfg(test)]
mod tests;
mod trust;
mod variables;

pub(crate) use places::all as places;
pub use roots::Roots;
pub use trust::{Trust, TrustError};
pub use variables::VARIABLES;
