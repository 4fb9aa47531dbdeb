use std::sync::Arc;

use async_trait::async_trait;

use super::programs::Programs;
use super::world::World;
use super::{FakeBottle, FakeOutlet, FakeProgram};
use crate::{
    Backend, BackendName, BottleName, BottleSpec, Boundary, Capabilities, CloseError, ImageSupport, LaunchError, Launched,
    Leftover, LimitSupport, Replacing, Terminals, Unavailable, Users,
};

const NAME: BackendName = BackendName("fake");

/// Makes bottles in memory.
#[derive(Clone)]
pub struct FakeBackend {
    programs: Programs,
}

impl Default for FakeBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeBackend {
    /// A backend whose bottles have `true`, `mkdir` and `ln`.
    pub fn new() -> Self {
        Self { programs: Programs::new() }
    }

    /// Adds a program to `/usr/bin` of every bottle made later.
    #[must_use]
    pub fn program(mut self, name: &str, program: impl Fn(&mut super::FakeProcess) -> u8 + Send + Sync + 'static) -> Self {
        let program: FakeProgram = Arc::new(program);
        self.programs.add(name, program);
        self
    }

    /// Makes a bottle, as itself: with its files and record open to the test.
    pub fn make(&self, name: &BottleName) -> (Arc<FakeBottle>, FakeOutlet) {
        let (outlet, arrivals) = tokio::sync::mpsc::unbounded_channel();
        let world = Arc::new(World::new(name.clone(), self.programs.clone(), outlet));
        (Arc::new(FakeBottle { world, capabilities: capabilities() }), FakeOutlet(arrivals))
    }
}

#[async_trait]
impl Backend for FakeBackend {
    fn name(&self) -> BackendName {
        NAME
    }

    async fn check(&self) -> Result<Capabilities, Unavailable> {
        Ok(capabilities())
    }

    async fn launch(&self, spec: &BottleSpec) -> Result<Launched, LaunchError> {
        let refused = |what: &str, reason: String| LaunchError::Unsupported { backend: NAME, what: what.to_owned(), reason };
        if let Some((limit, why)) = capabilities().limits.refusals(&spec.limits).into_iter().next() {
            return Err(refused(&format!("limits.{limit}"), why));
        }
        let (bottle, outlet) = self.make(&spec.name);
        Ok(Launched { bottle, outlet: Box::new(outlet) })
    }

    async fn leftovers(&self) -> Result<Vec<Leftover>, Unavailable> {
        Ok(Vec::new())
    }

    async fn remove(&self, leftover: &Leftover) -> Result<(), CloseError> {
        let (bottle, what) = (leftover.bottle.to_string(), leftover.what.clone());
        Err(CloseError { bottle, what, reason: "a bottle in memory leaves nothing".to_owned() })
    }
}

fn capabilities() -> Capabilities {
    let no = || Err("a bottle in memory holds nobody to a limit".to_owned());
    Capabilities {
        boundary: Boundary::None,
        users: Users::Separate,
        transparent: true,
        replacing: Replacing::AtOnce,
        terminals: Terminals::Whole,
        limits: LimitSupport { memory: no(), cpus: no(), pids: no(), disk: no() },
        // Taken, and not looked at: its files are its own whatever they are made from.
        images: ImageSupport::all(),
        room: None,
        remarks: Vec::new(),
    }
}
