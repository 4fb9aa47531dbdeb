use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use testkit::canary;
use testkit::model_api::Credential;

use crate::scene::Scene;

/// What a conversation is paid with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pays {
    ClaudeToken,
    ClaudeKey,
    ClaudeLogin,
    CodexKey,
    /// Whose model offers no WebSocket.
    CodexKeyOverHttp,
    ChatGptLogin,
}

/// The person's own: what the model wants to see, and what must be found nowhere else.
pub struct Purse {
    pub credential: Credential,
    pub secrets: Vec<String>,
}

/// 2100-01-01, in seconds since 1970.
pub const FAR: i64 = 4_102_444_800;

impl Pays {
    pub fn agent(self) -> &'static str {
        match self {
            Self::ClaudeToken | Self::ClaudeKey | Self::ClaudeLogin => "claude",
            Self::CodexKey | Self::CodexKeyOverHttp | Self::ChatGptLogin => "codex",
        }
    }

    /// The host that is asked.
    pub fn host(self) -> &'static str {
        match self {
            Self::ClaudeToken | Self::ClaudeKey | Self::ClaudeLogin => "api.anthropic.com",
            Self::CodexKey | Self::CodexKeyOverHttp => "api.openai.com",
            Self::ChatGptLogin => "chatgpt.com",
        }
    }

    /// Where it is asked.
    pub fn path(self) -> &'static str {
        match self {
            Self::ClaudeToken | Self::ClaudeKey | Self::ClaudeLogin => "/v1/messages",
            Self::CodexKey | Self::CodexKeyOverHttp => "/v1/responses",
            Self::ChatGptLogin => "/backend-api/codex/responses",
        }
    }

    /// Where the person keeps it, below the home.
    pub fn file(self) -> Option<&'static str> {
        match self {
            Self::ClaudeLogin => Some(".claude/.credentials.json"),
            Self::ChatGptLogin => Some(".codex/auth.json"),
            Self::ClaudeToken | Self::ClaudeKey | Self::CodexKey | Self::CodexKeyOverHttp => None,
        }
    }

    /// The line of the manifest that says so.
    pub fn manifest(self) -> &'static str {
        match self {
            Self::ClaudeToken => "auth_token: MODEL_CREDENTIAL",
            Self::ClaudeKey | Self::CodexKey | Self::CodexKeyOverHttp => "api_key: MODEL_CREDENTIAL",
            Self::ClaudeLogin | Self::ChatGptLogin => "forward_host_credentials: true",
        }
    }

    /// Gives it to the person.
    pub fn earn(self, scene: Scene) -> (Scene, Purse) {
        let variable = |credential: fn(&str) -> Credential| {
            let secret = canary("credential");
            let purse = Purse { credential: credential(&secret), secrets: vec![secret.clone()] };
            (secret, purse)
        };
        match self {
            Self::ClaudeToken | Self::CodexKey | Self::CodexKeyOverHttp => {
                let (secret, purse) = variable(Credential::bearer);
                (scene.env("MODEL_CREDENTIAL", &secret), purse)
            }
            Self::ClaudeKey => {
                let (secret, purse) = variable(Credential::api_key);
                (scene.env("MODEL_CREDENTIAL", &secret), purse)
            }
            Self::ClaudeLogin => {
                let (access, refresh) = (canary("access"), canary("refresh"));
                let scene = scene.file("home/.claude/.credentials.json", &claude_login(&access, &refresh, FAR).to_string());
                (scene, Purse { credential: Credential::bearer(&access), secrets: vec![access, refresh] })
            }
            Self::ChatGptLogin => {
                let (access, id, refresh) = (canary("access"), canary("id"), canary("refresh"));
                let login = chatgpt_login(&access, &id, &refresh, FAR);
                let token = login["tokens"]["access_token"].as_str().unwrap().to_owned();
                let scene = scene.file("home/.codex/auth.json", &login.to_string());
                (scene, Purse { credential: Credential::bearer(&token), secrets: vec![access, id, refresh] })
            }
        }
    }
}

/// Claude Code's `.credentials.json`; `expires` in seconds since 1970.
pub fn claude_login(access: &str, refresh: &str, expires: i64) -> Value {
    let scopes = ["user:inference", "user:profile"];
    json!({ "claudeAiOauth": {
        "accessToken": access, "refreshToken": refresh, "expiresAt": expires * 1000, "scopes": scopes, "subscriptionType": "max",
    }})
}

/// Codex's `auth.json`. Its tokens are JSON Web Tokens, whose last part is what nobody can make up.
pub fn chatgpt_login(access: &str, id: &str, refresh: &str, expires: i64) -> Value {
    json!({
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": null,
        "tokens": {
            "id_token": token(id, expires), "access_token": token(access, expires), "refresh_token": refresh,
            "account_id": "account-of-the-test",
        },
        "last_refresh": "2026-01-01T00:00:00Z",
    })
}

pub fn token(signature: &str, expires: i64) -> String {
    let account = json!({
        "chatgpt_account_id": "account-of-the-test", "chatgpt_user_id": "user-of-the-test", "chatgpt_plan_type": "plus",
    });
    let claims = json!({ "exp": expires, "email": "person@example.org", "https://api.openai.com/auth": account });
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    format!("{}.{}.{signature}", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(&claims))
}
