use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bottle::{
    Bottle, BottleName, Capabilities, CloseError, CopyError, Exec, ExecError, GuestPath, Output, Process, Stdio, Tree, TreeSink,
    User,
};
use helper::session::{Opening, Served, Site, opened};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::close;
use crate::smolvm::Smolvm;

/// How long a machine's process may take to end.
const END_PATIENCE: Duration = Duration::from_secs(60);

/// A bottle in a machine, served by the helper in it.
pub struct SmolmachinesBottle {
    /// What it can do.
    pub capabilities: Capabilities,
    /// The conversation with its first process.
    pub served: Served,
    /// Whether its way out is open.
    pub opening: watch::Receiver<Opening>,
    /// Makes and removes machines.
    pub smolvm: Smolvm,
    /// Its machine.
    pub machine: String,
    /// What it has on the host; `None` once freed.
    pub site: Mutex<Option<Site>>,
    /// What goes on in the session for its sake.
    pub tasks: Mutex<JoinSet<()>>,
}

#[async_trait]
impl Bottle for SmolmachinesBottle {
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

    async fn close(&self) -> Result<(), CloseError> {
        self.served.let_go();
        let failed =
            |what: &str, reason: String| CloseError { bottle: self.served.name().to_string(), what: what.to_owned(), reason };
        let ended = match tokio::time::timeout(END_PATIENCE, self.served.life().ended()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(failed("its processes", error.to_string())),
            Err(_) => Err(failed("its processes", format!("not gone after {END_PATIENCE:?}"))),
        };
        let removed = close::remove(&self.smolvm, &self.machine).await;
        let removed = removed.map_err(|error| failed(&format!("machine {}", self.machine), error.to_string()));
        // Its lock tells whose the machine is: it goes last, and stays when the machine does.
        if removed.is_ok() {
            drop(self.site.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        ended.and(removed)
    }
}
