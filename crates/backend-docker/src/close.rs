//! Removing containers, however far they have come.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::Docker;
use bollard::query_parameters::{EventsOptions, RemoveContainerOptions, WaitContainerOptions};
use futures_core::Stream;

use crate::engine::{is_missing, is_under_way, text};

/// Removes a container, running or not, and waits until it is gone. One that is gone already is no error.
///
/// # Errors
/// What the engine says.
pub async fn remove(api: &Docker, container: &str) -> Result<(), String> {
    let options = RemoveContainerOptions { force: true, v: true, ..RemoveContainerOptions::default() };
    match api.remove_container(container, Some(options)).await {
        Ok(()) => Ok(()),
        Err(error) if is_missing(&error) => Ok(()),
        // Its own end removes it.
        Err(error) if is_under_way(&error) => {
            gone(api, container).await;
            missing(api, container).await
        }
        Err(error) => Err(text(&error)),
    }
}

/// Pause between two looks.
const BREATH: Duration = Duration::from_millis(50);
/// How long a removal may be under way. A container under gVisor with a hundred processes was seen to take half a minute.
const UNDER_WAY: Duration = Duration::from_secs(90);

/// Waits until the engine knows it no more: where two ask for its removal at once, whoever waits is told that it failed for one of them.
async fn missing(api: &Docker, container: &str) -> Result<(), String> {
    let asking = async {
        loop {
            match api.inspect_container(container, None).await {
                Err(error) if is_missing(&error) => return Ok(()),
                Err(error) => return Err(text(&error)),
                Ok(_) => tokio::time::sleep(BREATH).await,
            }
        }
    };
    let still = |_| Err(format!("the engine has been removing container {container} for more than {} s", UNDER_WAY.as_secs()));
    tokio::time::timeout(UNDER_WAY, asking).await.unwrap_or_else(still)
}

/// Waits until a container is gone, or the engine can no longer tell.
pub async fn gone(api: &Docker, container: &str) {
    let options = WaitContainerOptions { condition: "removed".to_owned() };
    let mut waiting = std::pin::pin!(api.wait_container(container, Some(options)));
    while std::future::poll_fn(|context| waiting.as_mut().poll_next(context)).await.is_some() {}
}

/// How long the engine may take to say what it has seen.
const MEMORY_PATIENCE: Duration = Duration::from_secs(10);

/// Whether the engine has seen the kernel kill something in a container for its memory, since then. It remembers its last few hundred
/// events, also of a container that is gone.
pub async fn ran_out_of_memory(api: &Docker, container: &str, since: SystemTime) -> bool {
    let stamp = |time: SystemTime| {
        let time = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(format!("{}.{:09}", time.as_secs(), time.subsec_nanos()))
    };
    let filters = [("container", container), ("event", "oom")].map(|(key, value)| (key.to_owned(), vec![value.to_owned()]));
    let options = EventsOptions { since: stamp(since), until: stamp(SystemTime::now()), filters: Some(HashMap::from(filters)) };
    let mut events = std::pin::pin!(api.events(Some(options)));
    let first = std::future::poll_fn(|context| events.as_mut().poll_next(context));
    matches!(tokio::time::timeout(MEMORY_PATIENCE, first).await, Ok(Some(Ok(_))))
}

/// The containers of a bottle that is being made: removed unless it stands.
pub struct Made {
    api: Docker,
    containers: Vec<String>,
}

impl Made {
    /// None yet.
    pub fn new(api: Docker) -> Self {
        Self { api, containers: Vec::new() }
    }

    /// One more.
    pub fn add(&mut self, container: String) {
        self.containers.push(container);
    }

    /// The bottle stands.
    pub fn keep(mut self) {
        self.containers.clear();
    }

    /// The bottle could not be made: the latest first.
    pub async fn undo(mut self) {
        while let Some(container) = self.containers.pop() {
            // What could not be removed is found by its label.
            let _ = remove(&self.api, &container).await;
        }
    }
}

impl Drop for Made {
    /// A launch that is given up half way.
    fn drop(&mut self) {
        let containers = std::mem::take(&mut self.containers);
        if let (false, Ok(runtime)) = (containers.is_empty(), tokio::runtime::Handle::try_current()) {
            let api = self.api.clone();
            runtime.spawn(async move {
                for container in containers.iter().rev() {
                    let _ = remove(&api, container).await;
                }
            });
        }
    }
}
