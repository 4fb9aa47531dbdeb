use std::sync::{Arc, Mutex, PoisonError};

use egress::Control;
use manifest::Resolved;
use policy::ProviderHost;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::plan::rules_with;

/// Reads a session's policy anew from where it came: the manifests of its agent and bottles.
pub trait PolicySource: Send + Sync {
    /// What the manifests say now; only their routes count.
    ///
    /// # Errors
    /// What is wrong with them, for the person: the policy in force stays.
    fn read(&self) -> Result<Resolved, String>;
}

/// Puts the policy of a running session in force anew.
pub struct Reloader {
    source: Box<dyn PolicySource>,
    hosts: Vec<ProviderHost>,
    control: Control,
}

impl Reloader {
    /// `hosts` are those of the session's provider, which stays what it is.
    pub(crate) fn new(source: Box<dyn PolicySource>, hosts: Vec<ProviderHost>, control: Control) -> Self {
        Self { source, hosts, control }
    }

    /// Reads the policy; a good one counts for every request from now on, a bad one changes nothing. The number of its rules.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn reload(&self) -> Result<usize, String> {
        let resolved = self.source.read()?;
        let told = |errors: Vec<crate::RuleError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let table = rules_with(&resolved, &self.hosts).map_err(told)?;
        let rules = table.rules().len();
        self.control.reload(table);
        Ok(rules)
    }
}

/// The times that a signal asked for the policy anew. A terminal is the agent's while it runs, so the person is told at the end.
#[derive(Default)]
pub(crate) struct Reloads {
    outcomes: Arc<Mutex<Vec<Result<usize, String>>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Reloads {
    /// Whoever notifies what is returned has the policy read anew.
    pub fn begin(&self, reloader: &Arc<Reloader>) -> Arc<Notify> {
        let (notify, outcomes, reloader) = (Arc::new(Notify::new()), Arc::clone(&self.outcomes), Arc::clone(reloader));
        let notified = Arc::clone(&notify);
        let task = tokio::spawn(async move {
            loop {
                notified.notified().await;
                let reloader = Arc::clone(&reloader);
                let outcome = tokio::task::spawn_blocking(move || reloader.reload()).await;
                let outcome = outcome.unwrap_or_else(|error| Err(error.to_string()));
                outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
            }
        });
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        notify
    }

    /// What became of them.
    pub fn taken(&self) -> Vec<Result<usize, String>> {
        if let Some(task) = self.task.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
        std::mem::take(&mut *self.outcomes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
