use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bottle::{
    Bottle, BottleName, Capabilities, CloseError, CopyError, Exec, ExecError, GuestPath, LimitHit, Output, Process, Stdio, Tree,
    TreeSink, User,
};
use helper::session::{Life, Served};
use rustix::process::{Signal, pidfd_send_signal};

use crate::cgroup::Groups;
use crate::ids::IdPlan;

/// How long the kernel may take to end everything in the bottle.
const END_PATIENCE: Duration = Duration::from_secs(30);

/// A bottle made of namespaces, served by its PID 1.
pub struct NativeBottle {
    capabilities: Capabilities,
    served: Served,
    groups: Mutex<Groups>,
}

impl NativeBottle {
    /// Takes over a bottle that is ready.
    pub fn new(
        name: BottleName,
        capabilities: Capabilities,
        ids: IdPlan,
        control: OwnedFd,
        init: OwnedFd,
        groups: Groups,
    ) -> io::Result<Self> {
        let life = Arc::new(Life::new(init, |init| {
            let _ = pidfd_send_signal(init, Signal::KILL);
        })?);
        let bottle = name.clone();
        let owner = Box::new(move |user| ids.host_id(bottle.as_str(), user == User::Root));
        Ok(Self { capabilities, served: Served::new(name, control, life, owner), groups: Mutex::new(groups) })
    }

    /// Over when PID 1 is gone.
    pub fn life(&self) -> Arc<Life> {
        Arc::clone(self.served.life())
    }

    async fn remove_groups(&self) -> Result<(), CloseError> {
        let mut groups = std::mem::take(&mut *self.groups.lock().unwrap_or_else(PoisonError::into_inner));
        // May wait for a moment, so not on the runtime's own thread. What could not be removed is kept for another try.
        let removing = tokio::task::spawn_blocking(move || {
            let removed = groups.remove();
            (groups, removed)
        });
        let failed =
            |reason: String| CloseError { bottle: self.served.name().to_string(), what: "its cgroups".to_owned(), reason };
        let (groups, removed) = removing.await.map_err(|error| failed(error.to_string()))?;
        *self.groups.lock().unwrap_or_else(PoisonError::into_inner) = groups;
        removed.map_err(|error| failed(error.to_string()))
    }
}

#[async_trait]
impl Bottle for NativeBottle {
    fn name(&self) -> &BottleName {
        self.served.name()
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn exec(&self, exec: Exec) -> Result<Output, ExecError> {
        self.served.exec(exec).await
    }

    async fn spawn(&self, exec: Exec, stdio: Stdio) -> Result<Process, ExecError> {
        self.served.spawn(exec, stdio).await
    }

    async fn cp_in(&self, source: &Tree, into: &GuestPath, owner: User) -> Result<(), CopyError> {
        self.served.cp_in(source, into, owner).await
    }

    async fn cp_out(&self, from: &GuestPath, sink: &mut dyn TreeSink) -> Result<(), CopyError> {
        self.served.cp_out(from, sink).await
    }

    fn limits_hit(&self) -> Vec<LimitHit> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).hits()
    }

    async fn close(&self) -> Result<(), CloseError> {
        self.served.let_go();
        let failed =
            |reason: String| CloseError { bottle: self.served.name().to_string(), what: "its processes".to_owned(), reason };
        // A pidfd becomes readable when PID 1 is gone, which the kernel lets happen only after everything below it is
        // (`pid_namespaces(7)`).
        let ended = match tokio::time::timeout(END_PATIENCE, self.served.life().ended()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed(format!("not gone after {END_PATIENCE:?}"))),
        };
        let removed = self.remove_groups().await;
        ended.and(removed)
    }
}
