use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bottle::{
    Backend, BottleName, BottleSpec, Boundary, Capabilities, Exec, ExecError, LaunchError, LimitSupport, Limits, RootFs, Tool,
};

use super::Subject;
use crate::require;

/// Where attacks are carried out: a backend, and what on the host must survive them.
pub struct Arena {
    backend: Arc<dyn Backend>,
    capabilities: Capabilities,
    programs: Vec<PathBuf>,
    image: Option<&'static [&'static str]>,
    bottles: AtomicU32,
}

impl Arena {
    /// An arena for bottles of `backend`, which needs `component` (see [`crate::require()`]). `None`, and a printed reason, where it
    /// cannot run or its bottles have no python3.
    pub async fn open(backend: impl Backend + 'static, component: &str) -> Option<Self> {
        let capabilities = match backend.check().await {
            Ok(capabilities) => capabilities,
            Err(unavailable) => {
                require(component, &unavailable.to_string());
                return None;
            }
        };
        let arena =
            Self { backend: Arc::new(backend), capabilities, programs: Vec::new(), image: None, bottles: AtomicU32::new(0) };
        match arena.bottle().await.bottle.exec(Exec::new("python3").args(["-c", "pass"])).await {
            Ok(output) if output.status.success() => Some(arena),
            Ok(_) | Err(ExecError::NotFound { .. }) => {
                require("python3", "the attacks are Python scripts and the bottle has none");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Adds a program of the host's that runs in or beside a bottle and must stay as it is.
    #[must_use]
    pub fn guarding(mut self, program: impl Into<PathBuf>) -> Self {
        self.programs.push(program.into());
        self
    }

    /// Says that bottles are made from an image instead of the host's files, and which of the paths that attacks look for the image
    /// has itself: these are not the host's.
    #[must_use]
    pub fn on_an_image(mut self, own: &'static [&'static str]) -> Self {
        self.image = Some(own);
        self
    }

    /// Whether bottles are made from an image, so that what is written to them goes to the disk.
    pub fn is_on_an_image(&self) -> bool {
        self.image.is_some()
    }

    /// Those of `paths` that can only be the host's.
    pub fn of_the_host<'a>(&self, paths: &[&'a str]) -> Vec<&'a str> {
        let own = self.image.unwrap_or_default();
        let of_the_kernel = |path: &str| self.has_own_kernel() && (path.starts_with("/sys/") || path.starts_with("/proc/"));
        paths.iter().copied().filter(|path| !own.contains(path) && !of_the_kernel(path)).collect()
    }

    /// Whether bottles have a kernel of their own: then its settings, devices and interfaces are none of the host's.
    pub fn has_own_kernel(&self) -> bool {
        matches!(self.capabilities.boundary, Boundary::UserSpaceKernel | Boundary::VirtualMachine)
    }

    /// The programs named with [`Arena::guarding`].
    pub fn programs(&self) -> &[PathBuf] {
        &self.programs
    }

    /// What the backend can do here.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// A fresh bottle without limits.
    pub async fn bottle(&self) -> Subject {
        self.launch(&[], Limits::default()).await.expect("a bottle")
    }

    /// A fresh bottle in which a host path is visible.
    pub async fn bottle_with(&self, tool: &Path) -> Result<Subject, LaunchError> {
        let tool = Tool::look(tool).expect("a tool");
        self.launch(&[tool], Limits::default()).await
    }

    /// A fresh bottle with limits. `None`, and a printed reason, where the limit of that name cannot be enforced.
    pub async fn limited(&self, limits: Limits, which: fn(&LimitSupport) -> &Result<(), String>) -> Option<Subject> {
        match which(&self.capabilities.limits) {
            Ok(()) => Some(self.launch(&[], limits).await.expect("a bottle with limits")),
            Err(reason) => {
                // What is written is bounded by a file system, the rest by control groups.
                let groups = if self.has_own_kernel() { "groups of an own kernel" } else { "cgroup" };
                require(if limits.disk.is_some() { "quota" } else { groups }, reason);
                None
            }
        }
    }

    async fn launch(&self, tools: &[Tool], limits: Limits) -> Result<Subject, LaunchError> {
        let number = self.bottles.fetch_add(1, Ordering::Relaxed);
        let name = BottleName::parse(&format!("escape-{}-{number}", std::process::id())).expect("a legal name");
        let spec = BottleSpec { name, root: RootFs::Default, tools: tools.to_vec(), limits };
        Ok(Subject::new(self.backend.launch(&spec).await?))
    }
}
