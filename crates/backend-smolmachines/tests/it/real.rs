//! The smolvm that these tests run on.

use std::path::PathBuf;
use std::sync::OnceLock;

use async_trait::async_trait;
use backend_smolmachines::{NAME, Settings, SmolmachinesBackend};
use bottle::{Backend, BackendName, BottleSpec, Capabilities, CloseError, LaunchError, Launched, Leftover, Unavailable};

/// The component that a machine without it lacks.
pub const COMPONENT: &str = "smolvm";

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn settings() -> Settings {
    let shared = ["PATH", "HOME", "USER", "SMOLVM_AGENT_READY_TIMEOUT_SECS"].into_iter();
    Settings {
        program: variable("BOT_BOTTLE_TEST_SMOLVM").unwrap_or_default().into(),
        environment: shared.filter_map(|name| Some((name.into(), std::env::var_os(name)?))).collect(),
        device: "/dev/kvm".into(),
        folder: folder().join("smolmachines"),
        sites: folder().join("sites"),
        image: variable("BOT_BOTTLE_TEST_MACHINE_IMAGE").map(Into::into),
    }
}

/// The same for all tests of a process; it goes when that ends. Machines' users must get there.
fn folder() -> PathBuf {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let made = || {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        folder
    };
    FOLDER.get_or_init(made).path().to_owned()
}

/// The backend, where there is a real smolvm.
pub struct Real(SmolmachinesBackend);

impl Real {
    /// On the program that the environment names.
    pub fn new() -> Self {
        Self(SmolmachinesBackend::new(settings()))
    }
}

#[async_trait]
impl Backend for Real {
    fn name(&self) -> BackendName {
        self.0.name()
    }

    async fn check(&self) -> Result<Capabilities, Unavailable> {
        for name in ["BOT_BOTTLE_TEST_SMOLVM", "BOT_BOTTLE_TEST_MACHINE_IMAGE"] {
            if variable(name).is_none() {
                let missing = format!("{name} is not set");
                return Err(Unavailable { backend: NAME, missing, hints: vec!["./test --rig".to_owned()] });
            }
        }
        self.0.check().await
    }

    async fn launch(&self, spec: &BottleSpec) -> Result<Launched, LaunchError> {
        self.0.launch(spec).await
    }

    async fn leftovers(&self) -> Result<Vec<Leftover>, Unavailable> {
        self.0.leftovers().await
    }

    async fn remove(&self, leftover: &Leftover) -> Result<(), CloseError> {
        self.0.remove(leftover).await
    }
}
