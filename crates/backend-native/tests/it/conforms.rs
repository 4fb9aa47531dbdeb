//! The contract.

use std::sync::Arc;

use bottle::Backend;
use testkit::conformance::Harness;

struct Native;

impl Harness for Native {
    fn backend(&self) -> Arc<dyn Backend> {
        Arc::new(crate::backend::backend())
    }

    fn may_be_missing(&self) -> Option<&'static str> {
        Some("userns")
    }
}

testkit::conformance!(Native);
