use std::io;
use std::thread::JoinHandle;

use bottle::Outlet;
use egress::{Egress, Limits};
use rustix::process::{Resource, getrlimit};
use tokio::sync::oneshot;

/// The egress service of one bottle, on a thread and a runtime of its own: what a bottle does to it does nothing to the
/// session's terminal. When the thread ends, however it ends, the outlet is dropped and the bottle reaches nothing.
pub(crate) struct Service {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Bounds of the service in this process, whose descriptors it shares with the session.
pub(crate) fn limits() -> Limits {
    Limits::within(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX))
}

impl Service {
    /// Begins to serve.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(egress: Egress, outlet: Box<dyn Outlet>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("egress".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = egress.serve(outlet) => {}
                    _ = stopped => {}
                }
            });
            // A look-up that hangs in the C library must not keep the session.
            runtime.shutdown_background();
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Ends it: nothing passes afterwards.
    pub async fn close(mut self) -> io::Result<()> {
        self.stop = None;
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let ended = tokio::task::spawn_blocking(move || thread.join()).await;
        ended.map_err(io::Error::other)?.map_err(|_| io::Error::other("the egress service had failed"))
    }
}
