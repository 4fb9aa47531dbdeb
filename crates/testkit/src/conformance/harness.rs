use std::sync::Arc;

use bottle::{Backend, BottleName, BottleSpec, Limits, RootFs, Tree};

use crate::probe_file;

/// What the suite needs to know of a backend.
pub trait Harness: Send + Sync {
    /// The backend.
    fn backend(&self) -> Arc<dyn Backend>;

    /// A bottle of this backend: plain, unless it needs something.
    fn spec(&self, name: BottleName) -> BottleSpec {
        BottleSpec { name, root: RootFs::Default, tools: Vec::new(), limits: Limits::default() }
    }

    /// The probe as a file, to be copied in.
    fn probe(&self) -> Tree {
        Tree::host(probe_file())
    }

    /// The component (see [`crate::require()`]) without which this machine may be: then the checks are skipped and say why.
    /// `None`: they fail.
    fn may_be_missing(&self) -> Option<&'static str> {
        None
    }
}
