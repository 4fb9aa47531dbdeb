use std::sync::Arc;
use std::time::{Duration, Instant};

use policy::Login;
use secret::Secret;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use super::renewal::Renewal;
use super::{CodexLogin, Document, Held, LoginError, Place, Stamp, claude, codex};
use crate::pace::Pace;
use crate::{CredentialError, Host, TokenEndpoint, value};

/// Who reads and refreshes one login in this process.
pub(crate) struct Owner {
    pub(super) login: Login,
    pub(super) place: Place,
    pub(super) url: String,
    pub(super) state: store::Home,
    pub(super) endpoint: Arc<dyn TokenEndpoint>,
    pub(super) pace: Pace,
    known: Arc<Mutex<Known>>,
}

/// What is known of the login.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What the file held when it was last read, or what it should hold since it was refreshed.
    pub(super) held: Option<(Stamp, Held)>,
    /// The refresh token that the provider did not take: never tried again.
    pub(super) refused: Option<Secret>,
    /// When a refresh was last tried, and why it failed if it did.
    pub(super) tried: Option<(Instant, Option<LoginError>)>,
}

impl Owner {
    pub(crate) fn new(login: Login, host: &Host, endpoint: Arc<dyn TokenEndpoint>, pace: Pace) -> Self {
        let url = match login {
            Login::Claude => host.urls.claude.clone(),
            Login::Codex => host.urls.codex.clone(),
        };
        let (place, state) = (Place::new(login, host), host.state.clone());
        Self { login, place, url, state, endpoint, pace, known: Arc::default() }
    }

    /// Looks whether there is a login that holds or can be refreshed; changes nothing.
    pub(crate) async fn check(&self) -> Result<(), CredentialError> {
        let mut known = self.known.lock().await;
        let checked = self.load(&mut known).and_then(|held| match &held.refresh {
            _ if held.holds_for(Duration::ZERO) => Ok(()),
            Some(refresh) if known.refused.as_ref() == Some(refresh) => Err(LoginError::Ended),
            Some(_) => Ok(()),
            None => Err(LoginError::Spent),
        });
        checked.map_err(|error| error.told(self.login))
    }

    /// The access token, refreshed first when it ends soon.
    pub(crate) async fn current(self: &Arc<Self>) -> Result<Secret, CredentialError> {
        let mut known = Arc::clone(&self.known).lock_owned().await;
        let held = self.load(&mut known).map_err(|error| error.told(self.login))?;
        if held.holds_for(self.pace.early) {
            return Ok(held.access);
        }
        match self.renew(known, held.access.clone()).await {
            Ok(access) => Ok(access),
            // Better one that ends soon than none.
            Err(_) if held.holds_for(Duration::ZERO) => Ok(held.access),
            Err(error) => Err(error.told(self.login)),
        }
    }

    /// The other end did not take `used`.
    pub(crate) async fn rejected(self: &Arc<Self>, used: &Secret) {
        let mut known = Arc::clone(&self.known).lock_owned().await;
        if let Ok(held) = self.load(&mut known)
            && held.access == *used
            && held.refresh.is_some()
        {
            // Whoever asks next is told what came of it.
            let _ = self.renew(known, held.access).await;
        }
    }

    /// Waits for a refresh that has begun.
    pub(crate) async fn settle(&self) {
        drop(self.known.lock().await);
    }

    /// Refreshes on a thread of its own. Threat: an agent that gives up its request, or a session that is told to end, between
    /// the provider's answer and the saving of it, ends the person's login; a task would end with its runtime.
    async fn renew(self: &Arc<Self>, known: OwnedMutexGuard<Known>, spent: Secret) -> Result<Secret, LoginError> {
        let owner = Arc::clone(self);
        let (done, renewed) = oneshot::channel();
        let begun = std::thread::Builder::new().name("login".to_owned()).spawn(move || {
            let mut known = known;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let outcome = match runtime {
                Ok(runtime) => runtime.block_on(Renewal::new(&owner, &mut known).of(&spent)),
                Err(error) => Err(LoginError::NoAnswer(error.to_string())),
            };
            drop(known);
            // Nobody may be waiting any more.
            let _ = done.send(outcome);
        });
        begun.map_err(|error| LoginError::NoAnswer(error.to_string()))?;
        renewed.await.unwrap_or(Err(LoginError::Interrupted))
    }

    /// What the login holds, read again when the file has changed: the person's own program refreshes it too.
    pub(super) fn load(&self, known: &mut Known) -> Result<Held, LoginError> {
        let stamp = self.place.stamp()?;
        if let Some((loaded, held)) = &known.held
            && *loaded == stamp
        {
            return Ok(held.clone());
        }
        let held = self.read(&parse(&self.place.read()?)?)?;
        known.held = Some((stamp, held.clone()));
        known.tried = None;
        Ok(held)
    }

    /// What a document holds, fit for a header.
    pub(super) fn read(&self, document: &Document) -> Result<Held, LoginError> {
        let held = match self.login {
            Login::Claude => claude::read(document),
            Login::Codex => codex::read(document),
        }?;
        Ok(Held { access: value::parse(&held.access)?, ..held })
    }
}

/// What kind of login Codex has.
pub(crate) fn codex_login(host: &Host) -> Result<CodexLogin, LoginError> {
    codex::kind(&parse(&Place::new(Login::Codex, host).read()?)?)
}

/// A login file as a document.
pub(super) fn parse(content: &Secret) -> Result<Document, LoginError> {
    if content.reveal().trim_ascii().is_empty() {
        return Err(LoginError::NoLogin);
    }
    Document::parse(content.reveal()).ok_or(LoginError::Malformed("its file is no JSON object"))
}
