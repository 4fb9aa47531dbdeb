use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use credentials::Sources;
use egress::Control;
use manifest::Resolved;
use policy::{ProviderHost, TokenRef};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::credentials::{MissingCredential, check};
use super::later::later;
use crate::RuleError;
use crate::plan::rules_with;

/// Reads a session's policy anew from where it came: the manifests of its agent and bottles.
pub trait PolicySource: Send + Sync {
    /// What the manifests say now; their routes count at once, everything else at the next start.
    ///
    /// # Errors
    /// What is wrong with them, for the person: the policy in force stays.
    fn read(&self) -> Result<Resolved, String>;
}

/// What a session began with, and what stays.
pub(crate) struct Begun {
    /// Its manifests.
    pub resolved: Arc<Resolved>,
    /// The hosts of its provider.
    pub hosts: Vec<ProviderHost>,
    /// Where the person's credentials are.
    pub sources: Sources,
}

/// Puts the policy of a running session in force anew.
pub struct Reloader {
    source: Arc<dyn PolicySource>,
    begun: Begun,
    control: Control,
    /// One at a time: an older reading must not replace a younger one.
    turn: tokio::sync::Mutex<()>,
}

/// What became of a policy that was read anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    /// How many rules are in force now.
    pub rules: usize,
    /// Keys of the manifests, such as `env.A` and `tools`, that say something else than when the session began, and that only its
    /// next start takes up.
    pub later: Vec<String>,
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rules, if self.rules == 1 { "rule" } else { "rules" })
    }
}

impl Reloader {
    /// Reads it from `source`.
    pub(crate) fn new(source: Box<dyn PolicySource>, begun: Begun, control: Control) -> Self {
        Self { source: Arc::from(source), begun, control, turn: tokio::sync::Mutex::default() }
    }

    /// Reads the policy, and looks at its credentials as a start does; a good one counts for every request from now on, a bad one
    /// changes nothing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn reload(&self) -> Result<Reloaded, String> {
        let _turn = self.turn.lock().await;
        let source = Arc::clone(&self.source);
        let now = tokio::task::spawn_blocking(move || source.read()).await.unwrap_or_else(|error| Err(error.to_string()))?;
        let told = |errors: Vec<RuleError>| lines(errors.iter().map(|error| format!("{error}: {}", error.hint())));
        let Begun { resolved: began, hosts, sources } = &self.begun;
        let table = rules_with(began.bottle.provider.template, &now, hosts).map_err(told)?;
        check(sources, &table).await.map_err(|missing| lines(missing.iter().map(lacking)))?;
        let rules = table.rules().len();
        self.control.reload(table);
        Ok(Reloaded { rules, later: later(began, &now) })
    }
}

/// A variable is looked for where the session looks: in the environment that it was started with.
fn lacking(missing: &MissingCredential) -> String {
    let started = match missing.source {
        TokenRef::Variable(_) => "; a session that runs keeps the environment that it was started with, so start it again then",
        TokenRef::File(_) | TokenRef::Command(_) | TokenRef::Login(_) => "",
    };
    format!("{missing}: {}{started}", missing.hint)
}

fn lines(all: impl Iterator<Item = String>) -> String {
    all.collect::<Vec<_>>().join("\n")
}

/// The times that a signal asked for the policy anew. A terminal is the agent's while it runs, so the person is told at the end.
#[derive(Default)]
pub(crate) struct Reloads {
    outcomes: Arc<Mutex<Vec<Result<Reloaded, String>>>>,
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
                let outcome = reloader.reload().await;
                outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
            }
        });
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        notify
    }

    /// What became of them.
    pub fn taken(&self) -> Vec<Result<Reloaded, String>> {
        if let Some(task) = self.task.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
        std::mem::take(&mut *self.outcomes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
