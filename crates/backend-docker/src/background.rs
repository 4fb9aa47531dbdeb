//! A thread of its own for what must go on whatever the session's thread does.

use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A runtime on a thread of its own. A bottle's stream is copied there: a session that waits for a program's output without
/// letting its own runtime run would otherwise wait for itself.
pub struct Background {
    handle: Handle,
    _stop: oneshot::Sender<()>,
}

impl Background {
    /// Starts the thread; it ends when the last one who holds this lets go.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn start() -> io::Result<Arc<Self>> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        std::thread::Builder::new().name("engine".to_owned()).spawn(move || {
            let _ = runtime.block_on(stopped);
        })?;
        Ok(Arc::new(Self { handle, _stop: stop }))
    }

    /// Where to spawn.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}
