use tokio::sync::watch;

/// Something that waits until the test lets it go on.
#[derive(Debug, Clone)]
pub struct Gate(watch::Sender<bool>);

impl Gate {
    /// A closed gate.
    pub fn closed() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Lets everything through, from now on.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// Waits for that.
    pub async fn passed(&self) {
        // The sender is here: waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}
