//! Whole folders of manifests, read as a launch would.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests write their own files and stop at the first surprise"
)]

mod catalogue;
mod diagnostics;
mod expectations;
mod hostile;
mod merging;
mod scene;
mod schema;
