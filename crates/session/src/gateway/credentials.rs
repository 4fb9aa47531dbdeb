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
struct HostCredentials(Sources);

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
pub(crate) fn for_requests(sources: Sources) -> Arc<dyn Credentials> {
    Arc::new(HostCredentials(sources))
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
