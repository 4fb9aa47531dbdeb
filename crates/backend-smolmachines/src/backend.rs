use async_trait::async_trait;
use bottle::{
    Backend, BackendName, BottleSpec, Capabilities, CloseError, LaunchError, Launched, Leftover, Progress, RootFs, Unavailable,
};
use tokio::sync::OnceCell;

use crate::settings::Settings;
use crate::smolvm::Smolvm;
use crate::{check, images, launch, leftovers};

/// The backend's name.
pub const NAME: BackendName = BackendName("smolmachines");

/// Makes bottles in microVMs.
pub struct SmolmachinesBackend {
    settings: Settings,
    smolvm: Smolvm,
    /// One look at the program for all that this process does.
    looked: OnceCell<Capabilities>,
}

impl SmolmachinesBackend {
    /// A backend that uses the program that the settings name.
    pub fn new(settings: Settings) -> Self {
        let smolvm = Smolvm { program: settings.program.clone(), environment: settings.environment.clone() };
        Self { settings, smolvm, looked: OnceCell::new() }
    }
}

#[async_trait]
impl Backend for SmolmachinesBackend {
    fn name(&self) -> BackendName {
        NAME
    }

    async fn check(&self) -> Result<Capabilities, Unavailable> {
        self.looked.get_or_try_init(|| check::check(&self.smolvm, &self.settings)).await.cloned()
    }

    async fn prepare(&self, spec: &BottleSpec, progress: &mut dyn Progress) -> Result<(), LaunchError> {
        let RootFs::Image(name) = &spec.root else { return Ok(()) };
        progress.line(&format!("saving image {name} for machines"));
        let saved = images::saved(name, &self.settings, launch::PATIENCE * 10).await;
        saved.map(drop).map_err(|error| LaunchError::Failed {
            bottle: spec.name.to_string(),
            step: "taking its image from an engine".to_owned(),
            reason: error.to_string(),
        })
    }

    async fn launch(&self, spec: &BottleSpec) -> Result<Launched, LaunchError> {
        let capabilities = self.check().await?;
        // A limit that cannot be held is never dropped silently.
        if let Some((limit, reason)) = capabilities.limits.refusals(&spec.limits).into_iter().next() {
            return Err(LaunchError::Unsupported { backend: NAME, what: format!("limits.{limit}"), reason });
        }
        launch::launch(&self.smolvm, &self.settings, spec, capabilities).await
    }

    async fn leftovers(&self) -> Result<Vec<Leftover>, Unavailable> {
        // Where nothing was ever made there is nothing to ask a program about, which most machines do not have.
        if !self.settings.sites.exists() && !self.settings.folder.exists() {
            return Ok(Vec::new());
        }
        leftovers::find(&self.smolvm, &self.settings).await
    }

    async fn remove(&self, leftover: &Leftover) -> Result<(), CloseError> {
        leftovers::remove(&self.smolvm, &self.settings, leftover).await
    }
}
