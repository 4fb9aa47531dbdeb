//! The engine that these tests run on.

use std::path::PathBuf;
use std::sync::OnceLock;

use async_trait::async_trait;
use backend_docker::{DockerBackend, NAME, Runtime, Settings};
use bottle::{Backend, BackendName, BottleSpec, Capabilities, CloseError, LaunchError, Launched, Leftover, Unavailable};

/// What `./test` says.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Settings for a runtime of that engine.
pub fn settings(runtime: &str) -> Settings {
    Settings {
        host: variable("BOT_BOTTLE_TEST_DOCKER").map(Into::into),
        folder: folder(),
        runtime: Runtime::Named(runtime.to_owned()),
        image: variable("BOT_BOTTLE_TEST_IMAGE"),
        ..Settings::default()
    }
}

/// The same for all tests of a process; it goes when that ends.
fn folder() -> PathBuf {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().unwrap()).path().join("docker")
}

/// The backend, which needs an image too.
pub struct TestBackend(DockerBackend);

impl TestBackend {
    /// On a runtime of the engine.
    pub fn on(runtime: &str) -> Self {
        Self(DockerBackend::new(settings(runtime)))
    }
}

#[async_trait]
impl Backend for TestBackend {
    fn name(&self) -> BackendName {
        self.0.name()
    }

    async fn check(&self) -> Result<Capabilities, Unavailable> {
        for name in ["BOT_BOTTLE_TEST_DOCKER", "BOT_BOTTLE_TEST_IMAGE"] {
            if variable(name).is_none() {
                let missing = format!("{name} is not set");
                return Err(Unavailable { backend: NAME, missing, hints: vec!["./test".to_owned()] });
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
