use async_trait::async_trait;
use bottle::{
    Backend, BackendName, BottleSpec, Capabilities, CloseError, LaunchError, Launched, Leftover, Progress, RootFs, Unavailable,
};
use tokio::sync::OnceCell;

use crate::check::Chosen;
use crate::engine::Engine;
use crate::images::ImageError;
use crate::settings::Settings;
use crate::{build, check, images, launch, leftovers, trial};

/// The backend's name.
pub const NAME: BackendName = BackendName("docker");

/// Makes bottles of containers.
pub struct DockerBackend {
    settings: Settings,
    /// One connection pool, and one look at the engine, for all that this process does.
    engine: OnceCell<Engine>,
    /// Whether gVisor has been tried and has passed.
    tried: OnceCell<()>,
}

impl DockerBackend {
    /// A backend for the engine that the settings lead to.
    pub fn new(settings: Settings) -> Self {
        Self { settings, engine: OnceCell::new(), tried: OnceCell::new() }
    }

    async fn engine(&self) -> Result<&Engine, Unavailable> {
        self.engine.get_or_try_init(|| Engine::connect(&self.settings)).await
    }

    async fn look(&self) -> Result<(&Engine, Chosen, Capabilities), Unavailable> {
        let engine = self.engine().await?;
        let runtime = check::runtime(&engine.info, &self.settings.runtime)?;
        let capabilities = check::capabilities(&engine.info, &runtime, &self.settings)?;
        if runtime.gvisor {
            self.tried.get_or_try_init(|| trial::gvisor(engine, &self.settings, &runtime, &capabilities)).await?;
        }
        Ok((engine, runtime, capabilities))
    }
}

#[async_trait]
impl Backend for DockerBackend {
    fn name(&self) -> BackendName {
        NAME
    }

    async fn check(&self) -> Result<Capabilities, Unavailable> {
        self.look().await.map(|(_, _, capabilities)| capabilities)
    }

    async fn prepare(&self, spec: &BottleSpec, progress: &mut dyn Progress) -> Result<(), LaunchError> {
        let RootFs::Build(recipe) = &spec.root else { return Ok(()) };
        let failed =
            |reason: String| LaunchError::Failed { bottle: spec.name.to_string(), step: "building its image".to_owned(), reason };
        let engine = self.engine().await?;
        let name = build::name(recipe, &self.settings.build).map_err(|error| failed(error.to_string()))?;
        match images::demand(&engine.api, &name).await {
            Ok(()) => Ok(()),
            Err(ImageError::Missing(_)) => build::build(recipe, &name, &engine.socket, &self.settings.build, progress)
                .await
                .map_err(|error| failed(error.to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    async fn launch(&self, spec: &BottleSpec) -> Result<Launched, LaunchError> {
        let (engine, runtime, capabilities) = self.look().await?;
        // A limit that cannot be held is never dropped silently.
        if let Some((limit, reason)) = capabilities.limits.refusals(&spec.limits).into_iter().next() {
            return Err(LaunchError::Unsupported { backend: NAME, what: format!("limits.{limit}"), reason });
        }
        launch::launch(engine, &self.settings, &runtime, spec, capabilities).await
    }

    async fn leftovers(&self) -> Result<Vec<Leftover>, Unavailable> {
        // Where nothing was ever made there is nothing to ask an engine about, which most machines do not have.
        if !self.settings.folder.exists() {
            return Ok(Vec::new());
        }
        leftovers::find(&self.engine().await?.api, &self.settings.folder).await
    }

    async fn remove(&self, leftover: &Leftover) -> Result<(), CloseError> {
        let engine = self.engine().await.map_err(|error| CloseError {
            bottle: leftover.bottle.to_string(),
            what: leftover.what.clone(),
            reason: error.to_string(),
        })?;
        leftovers::remove(&engine.api, &self.settings.folder, leftover).await
    }
}
