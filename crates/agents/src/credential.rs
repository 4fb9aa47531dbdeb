use policy::{Auth, Host, Login, PathMatch, PathValue, ProviderHost, RequestMatch, Scheme, TokenRef};

use crate::Template;

/// What an agent's model is paid with, by where the host finds it. The credential itself never enters a bottle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Credential {
    /// The manifest names none. The program starts all the same, and its requests are refused outside, with a hint.
    #[default]
    None,
    /// Claude's long-lived token (`claude setup-token`).
    Token(TokenRef),
    /// A key of the model's API; Claude's or OpenAI's.
    ApiKey(TokenRef),
    /// The host's own login of Claude Code.
    ClaudeLogin,
    /// The host's own login of Codex, which is an API key.
    CodexKeyLogin,
    /// The host's own login of Codex, which is a ChatGPT account.
    ChatGptLogin(ChatGptAccount),
}

/// What Codex needs to know of a ChatGPT account so that it starts with it. None of it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatGptAccount {
    /// Sent in `ChatGPT-Account-ID`.
    pub account_id: String,
    /// The person in the account.
    pub user_id: Option<String>,
    /// `plus`, `pro`, `team`, …
    pub plan: Option<String>,
    /// Whether requests are marked as those of the United States' government.
    pub fedramp: bool,
}

/// A credential that a template's program cannot work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {0} template cannot be paid with this kind of credential")]
pub struct CredentialNotTaken(pub Template);

impl Credential {
    /// Whether a template's program can work with it.
    pub(crate) fn is_for(&self, template: Template) -> bool {
        match self {
            Self::None => true,
            Self::Token(_) | Self::ClaudeLogin => template == Template::Claude,
            Self::ApiKey(_) => template != Template::Command,
            Self::CodexKeyLogin | Self::ChatGptLogin(_) => template == Template::Codex,
        }
    }

    /// Where the host finds it.
    pub fn token_ref(&self) -> Option<TokenRef> {
        match self {
            Self::None => None,
            Self::Token(of) | Self::ApiKey(of) => Some(of.clone()),
            Self::ClaudeLogin => Some(TokenRef::Login(Login::Claude)),
            Self::CodexKeyLogin | Self::ChatGptLogin(_) => Some(TokenRef::Login(Login::Codex)),
        }
    }

    /// The hosts that a template's program asks, and how the credential is put into its requests.
    pub(crate) fn hosts(&self, template: Template) -> Vec<ProviderHost> {
        let host = match (template, self) {
            (Template::Command, _) => return Vec::new(),
            (Template::Claude, _) => "api.anthropic.com",
            (Template::Codex, Self::ChatGptLogin(_)) => "chatgpt.com",
            (Template::Codex, _) => "api.openai.com",
        };
        let bearer = |token_ref| Auth::Scheme { scheme: Scheme::Bearer, token_ref };
        let auth = self.token_ref().and_then(|token_ref| match (template, self) {
            // https://docs.anthropic.com/en/api/overview, "Authentication"
            (Template::Claude, Self::ApiKey(_)) => {
                policy::HeaderName::parse("x-api-key").ok().map(|header| Auth::Header { header, token_ref })
            }
            (Template::Claude | Template::Codex | Template::Command, _) => Some(bearer(token_ref)),
        });
        let matches = match self {
            Self::ChatGptLogin(_) => chatgpt(),
            Self::None | Self::Token(_) | Self::ApiKey(_) | Self::ClaudeLogin | Self::CodexKeyLogin => Vec::new(),
        };
        Host::parse(host).ok().map(|host| ProviderHost { host, auth, matches }).into_iter().collect()
    }
}

/// What Codex cannot do without: the model, which workspace the account is in, and what is left of its allowance.
///
/// Threat: the token opens the whole account. Through the rest of `chatgpt.com` an agent could read the person's conversations,
/// start tasks that run elsewhere (`/backend-api/wham/tasks`), and use connected mail and drives (`/backend-api/ps/mcp`).
fn chatgpt() -> Vec<RequestMatch> {
    let below = |path| PathValue::parse(path).ok().map(PathMatch::Prefix);
    let exact = |path| PathValue::parse(path).ok().map(PathMatch::Exact);
    let paths = [
        below("/backend-api/codex/responses"),
        exact("/backend-api/codex/models"),
        exact("/backend-api/wham/accounts/check"),
        exact("/backend-api/wham/usage"),
    ];
    vec![RequestMatch { paths: paths.into_iter().flatten().collect(), ..RequestMatch::default() }]
}

#[cfg(test)]
mod tests;
