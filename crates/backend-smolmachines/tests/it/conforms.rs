//! The contract.

use std::sync::Arc;

use bottle::Backend;
use testkit::conformance::Harness;

use crate::real::{COMPONENT, Real};

struct InMachines;

impl Harness for InMachines {
    fn backend(&self) -> Arc<dyn Backend> {
        Arc::new(Real::new())
    }

    fn may_be_missing(&self) -> Option<&'static str> {
        Some(COMPONENT)
    }
}

testkit::conformance!(InMachines);
