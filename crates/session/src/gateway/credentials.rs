use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agents::Credential;
use async_trait::async_trait;
use credentials::{CodexLogin, Sources, TokenAnswer, TokenEndpoint, TokenRequest, Unreachable};
use egress::upstream::HttpsClient;
use egress::{CredentialError, Credentials, TrustRoots};
use http::{HeaderMap, HeaderName, HeaderValue};
use policy::{Origin, Table, TokenRef};
use secret::Secret;
use store::Audit;

use crate::Problem;

/// How long a refresh of a login may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The person's credentials, as the egress service asks for them.
struct HostCredentials {
    sources: Sources,
    lacking: Arc<Lacking>,
}

/// The credentials that could not be had while a session ran, and why: for the person alone. The agent is told that there was none.
#[derive(Debug)]
pub(crate) struct Lacking {
    audit: Arc<Audit>,
    /// The latest reason for each source.
    told: Mutex<BTreeMap<TokenRef, credentials::CredentialError>>,
}

/// The code of a line that tells of one among the records.
const LACKING: &str = "credential.missing";

impl Lacking {
    /// Is told in `audit`, too.
    pub(crate) fn told_in(audit: Arc<Audit>) -> Arc<Self> {
        Arc::new(Self { audit, told: Mutex::default() })
    }

    /// What there is to say of them.
    pub(crate) fn lines(&self) -> Vec<String> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.values().map(line).collect()
    }

    fn note(&self, of: &TokenRef, error: credentials::CredentialError) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        // Threat: an agent that asks without end. Once for each reason is enough, and a source is not asked again for a while.
        if told.get(of) == Some(&error) {
            return;
        }
        // Where no line can be written the refusal itself cannot be recorded, and nothing passes any more: that is told.
        let _ = self.audit.note(LACKING, &line(&error));
        told.insert(of.clone(), error);
    }
}

fn line(error: &credentials::CredentialError) -> String {
    format!("{}: {}", error.message, error.hint)
}

/// The way to the providers' token endpoints: the same trust, resolver and dialler as everything else that leaves.
struct Refresh(TrustRoots);

/// Sources of `host`'s credentials; nothing is read yet.
pub(crate) fn sources(host: credentials::Host, roots: &TrustRoots) -> Sources {
    Sources::new(host, Arc::new(Refresh(roots.clone())))
}

/// What kind of login Codex has on the host.
///
/// # Errors
/// When there is none.
pub(crate) fn codex_login(host: &credentials::Host) -> Result<Credential, Problem> {
    Ok(match host.codex_login().map_err(Problem::Login)? {
        CodexLogin::ApiKey => Credential::CodexKeyLogin,
        CodexLogin::ChatGpt(credentials::ChatGptAccount { account_id, user_id, plan, fedramp }) => {
            Credential::ChatGptLogin(agents::ChatGptAccount { account_id, user_id, plan, fedramp })
        }
    })
}

/// As the egress service wants them.
pub(crate) fn for_requests(sources: Sources, lacking: Arc<Lacking>) -> Arc<dyn Credentials> {
    Arc::new(HostCredentials { sources, lacking })
}

/// A credential that a rule puts in and that cannot be had.
#[derive(Debug)]
pub struct MissingCredential {
    /// The rule.
    pub rule: Origin,
    /// Where it should be.
    pub source: TokenRef,
    /// Why not: `variable API_TOKEN is not set`.
    pub message: String,
    /// What the person can do.
    pub hint: String,
}

impl fmt::Display for MissingCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} puts in a credential that cannot be had: {}", self.rule, self.message)
    }
}

/// Looks whether every credential of `table` can be had, each once: before a session is made, and before it goes by other rules.
///
/// # Errors
/// All that cannot. Not empty.
pub(crate) async fn check(sources: &Sources, table: &Table) -> Result<(), Vec<MissingCredential>> {
    let mut missing = Vec::new();
    let mut asked = BTreeSet::new();
    for (rule, auth) in table.rules().iter().filter_map(|rule| Some((rule, rule.route.auth.as_ref()?))) {
        if asked.insert(auth.token_ref())
            && let Err(credentials::CredentialError { message, hint }) = sources.check(auth.token_ref()).await
        {
            missing.push(MissingCredential { rule: rule.origin.clone(), source: auth.token_ref().clone(), message, hint });
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(missing) }
}

#[async_trait]
impl Credentials for HostCredentials {
    async fn current(&self, of: &TokenRef) -> Result<Secret, CredentialError> {
        self.sources.current(of).await.map_err(|error| {
            self.lacking.note(of, error);
            CredentialError
        })
    }

    async fn rejected(&self, of: &TokenRef, used: &Secret) {
        self.sources.rejected(of, used).await;
    }
}

#[async_trait]
impl TokenEndpoint for Refresh {
    async fn post(&self, request: TokenRequest) -> Result<TokenAnswer, Unreachable> {
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let client = HttpsClient::new(self.0.clone(), PATIENCE);
        let posted = client.post(&request.url, headers, request.body.reveal().to_vec()).await;
        let posted = posted.map_err(|failure| Unreachable(failure.message))?;
        Ok(TokenAnswer { status: posted.status.as_u16(), body: Secret::new(posted.body) })
    }
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
