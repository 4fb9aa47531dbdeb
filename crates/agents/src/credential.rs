use policy::{Auth, HeaderName, Host, Login, ProviderHost, Scheme, TokenRef};

use crate::{Template, model_requests};

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

    /// The hosts that a template's program asks, what it asks there, and how the credential is put into its requests. Both kinds of Codex's login
    /// give the same, so that a policy can be told without reading the login.
    pub fn hosts(&self, template: Template) -> Vec<ProviderHost> {
        let auth = || Some(self.auth(template, self.token_ref()?));
        let hosts = match (template, self) {
            (Template::Command, _) => Vec::new(),
            (Template::Claude, _) => vec![("api.anthropic.com", model_requests::claude())],
            (Template::Codex, Self::Token(_) | Self::ApiKey(_)) => vec![("api.openai.com", model_requests::openai())],
            (Template::Codex, Self::None | Self::ClaudeLogin | Self::CodexKeyLogin | Self::ChatGptLogin(_)) => {
                vec![("api.openai.com", model_requests::openai()), ("chatgpt.com", model_requests::chatgpt())]
            }
        };
        let host = |(host, matches)| Some(ProviderHost { host: Host::parse(host).ok()?, auth: auth(), matches });
        hosts.into_iter().filter_map(host).collect()
    }

    fn auth(&self, template: Template, token_ref: TokenRef) -> Auth {
        // https://docs.anthropic.com/en/api/overview, "Authentication"
        let header = match (template, self) {
            (Template::Claude, Self::ApiKey(_)) => HeaderName::parse("x-api-key").ok(),
            (Template::Claude | Template::Codex | Template::Command, _) => None,
        };
        match header {
            Some(header) => Auth::Header { header, token_ref },
            None => Auth::Scheme { scheme: Scheme::Bearer, token_ref },
        }
    }
}

#[cfg(test)]
mod tests;
