use std::sync::Arc;
use std::time::Duration;

use agents::Credential;
use async_trait::async_trait;
use credentials::{CodexLogin, Sources, TokenAnswer, TokenEndpoint, TokenRequest, Unreachable};
use egress::upstream::HttpsClient;
use egress::{CredentialError, Credentials, TrustRoots};
use http::{HeaderMap, HeaderName, HeaderValue};
use policy::TokenRef;
use secret::Secret;

use crate::Problem;

/// How long a refresh of a login may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The person's credentials, as the egress service asks for them.
pub(crate) struct HostCredentials(Sources);

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
pub(crate) fn codex_login(host: credentials::Host, roots: &TrustRoots) -> Result<Credential, Problem> {
    let sources = sources(host, roots);
    let looking = std::thread::spawn(move || {
        // A runtime of its own: plans are made wherever the caller stands.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map(|runtime| runtime.block_on(sources.codex_login()))
    });
    let failed = |message: &str| {
        let message = format!("looking at your Codex login: {message}");
        Problem::Login(credentials::CredentialError { message, hint: "try again".to_owned() })
    };
    let login = looking.join().map_err(|_| failed("it failed"))?.map_err(|error| failed(&error.to_string()))?;
    Ok(match login.map_err(Problem::Login)? {
        CodexLogin::ApiKey => Credential::CodexKeyLogin,
        CodexLogin::ChatGpt(account) => Credential::ChatGptLogin(agents::ChatGptAccount {
            account_id: account.account_id,
            user_id: account.user_id,
            plan: account.plan,
            fedramp: account.fedramp,
        }),
    })
}

impl HostCredentials {
    /// As the egress service wants them.
    pub fn new(sources: Sources) -> Arc<dyn Credentials> {
        Arc::new(Self(sources))
    }
}

#[async_trait]
impl Credentials for HostCredentials {
    async fn current(&self, of: &TokenRef) -> Result<Secret, CredentialError> {
        self.0.current(of).await.map_err(|error| CredentialError { message: error.message, hint: error.hint })
    }

    async fn rejected(&self, of: &TokenRef, used: &Secret) {
        self.0.rejected(of, used).await;
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
