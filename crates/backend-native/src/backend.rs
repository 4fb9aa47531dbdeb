use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bottle::{
    Backend, BackendName, BottleName, BottleSpec, Boundary, Capabilities, CloseError, LaunchError, Launched, Leftover, Limits,
    Replacing, RootFs, Terminals, Unavailable, Users,
};

use crate::bottle::NativeBottle;
use crate::cgroup::{self, Hierarchy};
use crate::check;
use crate::ids::{self, IdPlan};
use crate::inside;
use crate::launch::{self, Started};
use crate::mount_table::MountTable;
use crate::outlet::NativeOutlet;
use crate::system_folders;

pub use crate::launch::HelperProgram;

/// The backend's name.
pub const NAME: BackendName = BackendName("native");

/// How long what a killed session had running may take to end, and the pause between two looks.
const ENDING: Duration = Duration::from_secs(10);
const BREATH: Duration = Duration::from_millis(20);

/// Makes bottles of Linux namespaces.
#[derive(Debug)]
pub struct NativeBackend {
    program: HelperProgram,
}

impl NativeBackend {
    /// A backend whose helper is started as `program` says.
    pub fn new(program: HelperProgram) -> Self {
        Self { program }
    }

    /// Makes a bottle and lets it go.
    async fn trial(&self) -> Result<(), Unavailable> {
        let failed = |error: &dyn std::fmt::Display| Unavailable { backend: NAME, missing: error.to_string(), hints: Vec::new() };
        let name = BottleName::parse("trial").map_err(|error| failed(&error))?;
        let spec = BottleSpec { name, root: RootFs::Default, tools: Vec::new(), limits: Limits::default() };
        match self.launch(&spec).await {
            Ok(launched) => launched.bottle.close().await.map_err(|error| failed(&error)),
            Err(LaunchError::Unavailable(unavailable)) => Err(unavailable),
            Err(error @ (LaunchError::Unsupported { .. } | LaunchError::Failed { .. })) => Err(failed(&error)),
        }
    }

    fn look(&self) -> Result<(IdPlan, Hierarchy, Capabilities), Unavailable> {
        check::kernel()?;
        let (ids, why_single) = IdPlan::find();
        let hierarchy = Hierarchy::find();
        let mut remarks = Vec::new();
        let users = match &ids {
            IdPlan::Root | IdPlan::Subordinate { .. } => Users::Separate,
            IdPlan::Single => {
                let why = why_single.unwrap_or_default();
                remarks.push(format!("only your own user id can be mapped, so root's files are node's in the bottle: {why}"));
                remarks.extend(ids::groups_that_stay());
                Users::Shared
            }
        };
        remarks.extend(MountTable::read().iter().flat_map(system_folders::remarks));
        if !inside::landlock_is_used() {
            remarks.push("Landlock is not in use: it is off, or this is older than Linux 5.19".to_owned());
        }
        let capabilities = Capabilities {
            boundary: Boundary::Namespaces,
            users,
            transparent: true,
            replacing: Replacing::AtOnce,
            terminals: Terminals::Whole,
            limits: hierarchy.support(),
            images: launch::images(),
            // The private layer is a tmpfs of the default size (`tmpfs(5)`).
            room: Some(memory() / 2),
            remarks,
        };
        Ok((ids, hierarchy, capabilities))
    }
}

/// Memory of this machine in bytes (`sysinfo(2)`).
fn memory() -> u64 {
    let info = rustix::system::sysinfo();
    u64::from(info.mem_unit).saturating_mul(info.totalram)
}

#[async_trait]
impl Backend for NativeBackend {
    fn name(&self) -> BackendName {
        NAME
    }

    async fn check(&self) -> Result<Capabilities, Unavailable> {
        let (_, _, capabilities) = self.look()?;
        if check::needs_a_trial() {
            self.trial().await?;
        }
        Ok(capabilities)
    }

    async fn check_to_launch(&self) -> Result<Capabilities, Unavailable> {
        self.look().map(|(_, _, capabilities)| capabilities)
    }

    async fn launch(&self, spec: &BottleSpec) -> Result<Launched, LaunchError> {
        let (ids, hierarchy, capabilities) = self.look()?;
        // A limit that cannot be held is never dropped silently.
        if let Some((limit, reason)) = capabilities.limits.refusals(&spec.limits).into_iter().next() {
            return Err(LaunchError::Unsupported { backend: NAME, what: format!("limits.{limit}"), reason });
        }
        let (program, wanted, plan) = (self.program.clone(), spec.clone(), ids.clone());
        let started = tokio::task::spawn_blocking(move || launch::launch(&program, &wanted, &ids, &hierarchy)).await;
        let failed =
            |step: &str, reason: String| LaunchError::Failed { bottle: spec.name.to_string(), step: step.to_owned(), reason };
        let Started { control, init, ports, listeners, groups } =
            started.map_err(|error| failed("making the bottle", error.to_string()))??;
        let bottle = NativeBottle::new(spec.name.clone(), capabilities, plan, control, init, groups)
            .map_err(|error| failed("watching the bottle", error.to_string()))?;
        let outlet = NativeOutlet::new(&ports, listeners, bottle.life())
            .map_err(|error| failed("opening the outlet", error.to_string()))?;
        Ok(Launched { bottle: Arc::new(bottle), outlet: Box::new(outlet) })
    }

    async fn leftovers(&self) -> Result<Vec<Leftover>, Unavailable> {
        let hierarchy = Hierarchy::find();
        let (mut groups, mut ending) = hierarchy.leftovers();
        // What a killed session had running ends a moment after it.
        let begun = Instant::now();
        while !ending.is_empty() && begun.elapsed() < ENDING {
            tokio::time::sleep(BREATH).await;
            (groups, ending) = hierarchy.leftovers();
        }
        let known = groups.into_iter().filter_map(|path| Some((cgroup::bottle_of(&path)?, path)));
        let leftover = |(bottle, path): (_, std::path::PathBuf)| {
            let id = path.display().to_string();
            Leftover { bottle, what: format!("cgroup {id}"), id }
        };
        Ok(known.map(leftover).collect())
    }

    async fn remove(&self, leftover: &Leftover) -> Result<(), CloseError> {
        let failed = |reason: String| CloseError { bottle: leftover.bottle.to_string(), what: leftover.what.clone(), reason };
        // Only what a fresh look finds empty: the caller's list may be old, or not ours.
        let path = Path::new(&leftover.id);
        if path.exists() && !Hierarchy::find().leftovers().0.iter().any(|found| found == path) {
            return Err(failed("it is in use".to_owned()));
        }
        cgroup::remove(path).map_err(|error| failed(error.to_string()))
    }
}
