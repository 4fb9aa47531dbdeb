use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bollard::Docker;
use bottle::{
    Bottle, BottleName, Capabilities, CloseError, CopyError, Exec, ExecError, GuestPath, LimitHit, Output, Process, Stdio, Tree,
    TreeSink, User,
};
use helper::session::{Opening, Served, Site, opened};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::close;

/// How long the engine may take to end everything in the bottle.
const END_PATIENCE: Duration = Duration::from_secs(60);

/// A bottle in a container, served by its first process.
pub struct DockerBottle {
    /// What it can do.
    pub capabilities: Capabilities,
    /// The conversation with its first process.
    pub served: Served,
    /// Whether its way out is open.
    pub opening: watch::Receiver<Opening>,
    /// The engine.
    pub api: Docker,
    /// Its containers, the relay's last.
    pub containers: Vec<String>,
    /// The cgroups that hold its processes to its limits; empty when there are none, or they cannot be told.
    pub cgroups: Vec<PathBuf>,
    /// Whether it ended for its memory: a kernel of its own is one process to the host's, which kills it whole, and its cgroups go with
    /// it.
    pub starved: Arc<AtomicBool>,
    /// What it has on the host; `None` once freed.
    pub site: Mutex<Option<Site>>,
    /// What goes on in the session for its sake.
    pub tasks: Mutex<JoinSet<()>>,
}

#[async_trait]
impl Bottle for DockerBottle {
    fn name(&self) -> &BottleName {
        self.served.name()
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn exec(&self, exec: Exec) -> Result<Output, ExecError> {
        opened(&self.opening, &self.served, &exec).await?;
        self.served.exec(exec).await
    }

    async fn spawn(&self, exec: Exec, stdio: Stdio) -> Result<Process, ExecError> {
        opened(&self.opening, &self.served, &exec).await?;
        self.served.spawn(exec, stdio).await
    }

    async fn cp_in(&self, source: &Tree, into: &GuestPath, owner: User) -> Result<(), CopyError> {
        self.served.cp_in(source, into, owner).await
    }

    async fn cp_out(&self, from: &GuestPath, sink: &mut dyn TreeSink) -> Result<(), CopyError> {
        self.served.cp_out(from, sink).await
    }

    fn limits_hit(&self) -> Vec<LimitHit> {
        let hits = helper::session::limits_hit(&self.cgroups);
        let told = hits.iter().any(|hit| matches!(hit, LimitHit::Memory { .. }));
        let whole = (!told && self.starved.load(Ordering::Acquire)).then_some(LimitHit::Memory { killed: 1 });
        whole.into_iter().chain(hits).collect()
    }

    async fn close(&self) -> Result<(), CloseError> {
        self.served.let_go();
        let failed =
            |what: &str, reason: String| CloseError { bottle: self.served.name().to_string(), what: what.to_owned(), reason };
        let mut outcome = Ok(());
        let mut removing = JoinSet::new();
        for container in &self.containers {
            let (api, container) = (self.api.clone(), container.clone());
            removing.spawn(async move {
                let removed = close::remove(&api, &container).await;
                (container, removed)
            });
        }
        while let Some(removed) = removing.join_next().await {
            if let Ok((container, Err(reason))) = removed {
                outcome = outcome.and(Err(failed(&format!("container {container}"), reason)));
            }
        }
        let ended = match tokio::time::timeout(END_PATIENCE, self.served.life().ended()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(failed("its processes", error.to_string())),
            Err(_) => Err(failed("its processes", format!("not gone after {END_PATIENCE:?}"))),
        };
        drop(self.site.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        outcome.and(ended)
    }
}
