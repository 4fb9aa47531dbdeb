use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bottle::testing::{FakeBackend, FakeBottle};
use bottle::{
    Backend, BackendName, Bottle, BottleName, BottleSpec, Capabilities, CloseError, CopyError, Exec, ExecError, GuestPath,
    LaunchError, Launched, Leftover, LimitHit, Output, Process, Stdio, Tree, TreeSink, Unavailable, User,
};
use session::Stopper;

/// What goes wrong, or happens, and when.
#[derive(Clone, Default)]
pub enum Fault {
    #[default]
    None,
    /// The launch fails.
    Launch,
    /// A stop comes while the bottle is being made.
    StopDuringLaunch(Option<Stopper>),
    /// The copy into the bottle never ends, and a stop comes.
    StopDuringCopy(Option<Stopper>),
    /// Closing fails.
    Close,
    /// A stop comes while the bottle is being closed: the second, if one has come before.
    StopDuringClose(Option<Stopper>),
    /// A stop comes while the bottle is being made, which then fails.
    StopThenLaunchFails(Option<Stopper>),
    /// The bottle never comes into being, and stops come, one after the other.
    StuckLaunch(Option<Stopper>),
    /// The memory is used up while the agent runs.
    MemoryUsedUp,
}

/// A fake backend with a fault, which remembers its bottles.
pub struct Faulty {
    inner: FakeBackend,
    fault: Mutex<Fault>,
    made: Mutex<Vec<Arc<FakeBottle>>>,
}

impl Faulty {
    pub fn new(inner: FakeBackend, fault: Fault) -> Self {
        Self { inner, fault: Mutex::new(fault), made: Mutex::default() }
    }

    /// Hands over what ends the session; it is made after the backend.
    pub fn arm(&self, stopper: Stopper) {
        match &mut *self.fault.lock().unwrap() {
            Fault::StopDuringLaunch(armed)
            | Fault::StopDuringCopy(armed)
            | Fault::StopDuringClose(armed)
            | Fault::StopThenLaunchFails(armed)
            | Fault::StuckLaunch(armed) => *armed = Some(stopper),
            Fault::None | Fault::Launch | Fault::Close | Fault::MemoryUsedUp => {}
        }
    }

    /// Every bottle that was made has been closed.
    pub async fn assert_closed(&self, bottles: usize) {
        let made = self.made.lock().unwrap().clone();
        assert_eq!(made.len(), bottles);
        for bottle in made {
            assert!(matches!(bottle.exec(Exec::new("true")).await, Err(ExecError::Gone { .. })), "it still runs");
        }
    }
}

#[async_trait]
impl Backend for Faulty {
    fn name(&self) -> BackendName {
        self.inner.name()
    }

    async fn check(&self) -> Result<Capabilities, Unavailable> {
        self.inner.check().await
    }

    async fn launch(&self, spec: &BottleSpec) -> Result<Launched, LaunchError> {
        let fault = self.fault.lock().unwrap().clone();
        let failed =
            || LaunchError::Failed { bottle: spec.name.to_string(), step: "mounting /usr".to_owned(), reason: "no".to_owned() };
        if matches!(fault, Fault::Launch) {
            return Err(failed());
        }
        if let Fault::StopThenLaunchFails(Some(stopper)) = &fault {
            stopper.stop();
            tokio::task::yield_now().await;
            return Err(failed());
        }
        if let Fault::StuckLaunch(Some(stopper)) = &fault {
            loop {
                stopper.stop();
                tokio::task::yield_now().await;
            }
        }
        if let Fault::StopDuringLaunch(Some(stopper)) = &fault {
            stopper.stop();
            // Lets the session hear it: the launch is not done yet.
            tokio::task::yield_now().await;
        }
        let (bottle, outlet) = self.inner.make(&spec.name);
        self.made.lock().unwrap().push(Arc::clone(&bottle));
        Ok(Launched {
            bottle: Arc::new(FaultyBottle { inner: bottle, fault, closed: AtomicBool::new(false) }),
            outlet: Box::new(outlet),
        })
    }

    async fn leftovers(&self) -> Result<Vec<Leftover>, Unavailable> {
        self.inner.leftovers().await
    }

    async fn remove(&self, leftover: &Leftover) -> Result<(), CloseError> {
        self.inner.remove(leftover).await
    }
}

struct FaultyBottle {
    inner: Arc<FakeBottle>,
    fault: Fault,
    closed: AtomicBool,
}

#[async_trait]
impl Bottle for FaultyBottle {
    fn name(&self) -> &BottleName {
        self.inner.name()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn exec(&self, exec: Exec) -> Result<Output, ExecError> {
        self.inner.exec(exec).await
    }

    async fn spawn(&self, exec: Exec, stdio: Stdio) -> Result<Process, ExecError> {
        self.inner.spawn(exec, stdio).await
    }

    async fn cp_in(&self, source: &Tree, into: &GuestPath, owner: User) -> Result<(), CopyError> {
        if let Fault::StopDuringCopy(Some(stopper)) = &self.fault {
            stopper.stop();
            std::future::pending::<()>().await;
        }
        self.inner.cp_in(source, into, owner).await
    }

    async fn cp_out(&self, from: &GuestPath, sink: &mut dyn TreeSink) -> Result<(), CopyError> {
        self.inner.cp_out(from, sink).await
    }

    /// As the contract has it: what is asked for too late is not known any more.
    fn limits_hit(&self) -> Vec<LimitHit> {
        let used_up = matches!(self.fault, Fault::MemoryUsedUp) && !self.closed.load(Ordering::Relaxed);
        if used_up { vec![LimitHit::Memory { killed: 2 }] } else { Vec::new() }
    }

    async fn close(&self) -> Result<(), CloseError> {
        self.closed.store(true, Ordering::Relaxed);
        if let Fault::StopDuringClose(Some(stopper)) = &self.fault {
            stopper.stop();
            // Lets the session hear it: the close is not done yet.
            tokio::task::yield_now().await;
        }
        self.inner.close().await?;
        match self.fault {
            Fault::Close => {
                Err(CloseError { bottle: self.name().to_string(), what: "cgroup /x".to_owned(), reason: "busy".to_owned() })
            }
            Fault::None
            | Fault::Launch
            | Fault::StopDuringLaunch(_)
            | Fault::StopDuringCopy(_)
            | Fault::StopDuringClose(_)
            | Fault::StopThenLaunchFails(_)
            | Fault::StuckLaunch(_)
            | Fault::MemoryUsedUp => Ok(()),
        }
    }
}
