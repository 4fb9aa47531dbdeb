//! Removing containers, however far they have come.

use bollard::Docker;
use bollard::query_parameters::{RemoveContainerOptions, WaitContainerOptions};
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
            Ok(())
        }
        Err(error) => Err(text(&error)),
    }
}

/// Waits until a container is gone, or the engine can no longer tell.
pub async fn gone(api: &Docker, container: &str) {
    let options = WaitContainerOptions { condition: "removed".to_owned() };
    let mut waiting = std::pin::pin!(api.wait_container(container, Some(options)));
    while std::future::poll_fn(|context| waiting.as_mut().poll_next(context)).await.is_some() {}
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
