use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use policy::{Login, TokenRef};
use secret::Secret;
use tokio::sync::OwnedMutexGuard;

use crate::login::Owner;
use crate::pace::Pace;
use crate::remembered::Remembered;
use crate::{CredentialError, Host, TokenEndpoint, command, file, variable};

/// Where a session finds the person's credentials. Clones share what they know.
#[derive(Clone)]
pub struct Sources(Arc<Inner>);

struct Inner {
    host: Host,
    pace: Pace,
    remembered: Mutex<HashMap<TokenRef, Arc<tokio::sync::Mutex<Remembered>>>>,
    claude: Arc<Owner>,
    codex: Arc<Owner>,
}

impl Sources {
    /// Sources of `host`, whose logins are refreshed through `endpoint`. Reads nothing yet.
    pub fn new(host: Host, endpoint: Arc<dyn TokenEndpoint>) -> Self {
        Self::at(Pace::default(), host, endpoint)
    }

    pub(crate) fn at(pace: Pace, host: Host, endpoint: Arc<dyn TokenEndpoint>) -> Self {
        let owner = |login| Arc::new(Owner::new(login, &host, Arc::clone(&endpoint), pace));
        let (claude, codex) = (owner(Login::Claude), owner(Login::Codex));
        Self(Arc::new(Inner { host, pace, remembered: Mutex::default(), claude, codex }))
    }

    /// Looks before a launch whether there is a credential: reads the variable or file, runs the command, reads the login. A
    /// login is not refreshed here, so that looking changes nothing.
    ///
    /// # Errors
    /// When there is none.
    pub async fn check(&self, of: &TokenRef) -> Result<(), CredentialError> {
        match of {
            TokenRef::Login(login) => self.owner(*login).check().await,
            TokenRef::Variable(_) | TokenRef::File(_) | TokenRef::Command(_) => {
                let remembered = self.remembered(of).lock_owned().await;
                // What the person has mended since must count at once: a remembered error does not.
                if let Some(Ok(_)) = remembered.answer(self.0.pace.again) {
                    return Ok(());
                }
                self.ask(of, remembered).await.map(drop)
            }
        }
    }

    /// The credential as it stands now, from memory where that is possible.
    ///
    /// # Errors
    /// When there is none.
    pub async fn current(&self, of: &TokenRef) -> Result<Secret, CredentialError> {
        match of {
            TokenRef::Login(login) => self.owner(*login).current().await,
            TokenRef::Variable(_) | TokenRef::File(_) | TokenRef::Command(_) => {
                let remembered = self.remembered(of).lock_owned().await;
                if let Some(answer) = remembered.answer(self.0.pace.again) {
                    return answer;
                }
                self.ask(of, remembered).await
            }
        }
    }

    /// The other end did not take `used`. A file or command is asked again, a login refreshed, at most once a minute and only
    /// while `used` is what they gave last.
    pub async fn rejected(&self, of: &TokenRef, used: &Secret) {
        match of {
            TokenRef::Login(login) => self.owner(*login).rejected(used).await,
            // The environment of this process does not change.
            TokenRef::Variable(_) => {}
            TokenRef::File(_) | TokenRef::Command(_) => {
                let remembered = self.remembered(of).lock_owned().await;
                if remembered.is_worn(used, self.0.pace.again) {
                    // The next request is told what came of it.
                    let _ = self.ask(of, remembered).await;
                }
            }
        }
    }

    /// Waits until no login is being refreshed any more: to be called before the process ends, after whatever makes requests has.
    /// It takes no longer than a refresh may, which has bounds.
    ///
    /// Threat: a session that ends between the provider's answer and the saving of it ends the person's login.
    pub async fn settle(&self) {
        self.0.claude.settle().await;
        self.0.codex.settle().await;
    }

    /// Asks a source, while everybody else who wants it waits. As a task of its own: an agent that gives up its request must not
    /// have the next one run the person's command again.
    async fn ask(&self, of: &TokenRef, mut remembered: OwnedMutexGuard<Remembered>) -> Result<Secret, CredentialError> {
        let (sources, source) = (self.clone(), of.clone());
        let asked = tokio::spawn(async move {
            let outcome = sources.read(&source).await;
            remembered.note(outcome.clone());
            outcome
        });
        asked
            .await
            .unwrap_or_else(|_| Err(CredentialError::of(of, "could not be asked: the session is ending", "start it again")))
    }

    #[cfg(test)]
    pub(crate) fn host(&self) -> &Host {
        &self.0.host
    }

    async fn read(&self, of: &TokenRef) -> Result<Secret, CredentialError> {
        match of {
            TokenRef::Variable(name) => variable::read(of, name, &self.0.host.variables),
            TokenRef::File(path) => file::read(of, &self.0.host.expand(path)),
            TokenRef::Command(argv) => command::read(of, argv, &self.0.host, self.0.pace.command).await,
            TokenRef::Login(login) => self.owner(*login).current().await,
        }
    }

    fn owner(&self, login: Login) -> &Arc<Owner> {
        match login {
            Login::Claude => &self.0.claude,
            Login::Codex => &self.0.codex,
        }
    }

    fn remembered(&self, of: &TokenRef) -> Arc<tokio::sync::Mutex<Remembered>> {
        let mut all = self.0.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(of.clone()).or_default())
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").field("host", &self.0.host).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
