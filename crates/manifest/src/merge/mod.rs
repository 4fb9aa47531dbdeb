//! How bottles become one: a child over its parents, and bottles beside each other.

mod fold;
mod layer;
mod overlay;

pub(crate) use layer::{EgressLayer, Layer};

#[cfg(test)]
mod tests;
