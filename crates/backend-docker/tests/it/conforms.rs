//! The contract.

use std::sync::Arc;

use bottle::Backend;
use testkit::conformance::Harness;

use crate::engine::TestBackend;

struct On {
    runtime: &'static str,
    component: &'static str,
}

impl Harness for On {
    fn backend(&self) -> Arc<dyn Backend> {
        Arc::new(TestBackend::on(self.runtime))
    }

    fn may_be_missing(&self) -> Option<&'static str> {
        Some(self.component)
    }
}

mod runc {
    testkit::conformance!(super::On { runtime: "runc", component: "docker" });
}

mod runsc {
    testkit::conformance!(super::On { runtime: "runsc", component: "gvisor" });
}
