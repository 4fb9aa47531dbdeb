use std::os::unix::fs::PermissionsExt as _;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use testkit::canary;
use testkit::model_api::Credential;

use super::token_endpoint::Renewal;
use crate::scene::Scene;

/// What a conversation is paid with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pays {
    ClaudeToken,
    ClaudeKey,
    ClaudeLogin,
    /// Its access token has expired.
    ClaudeExpiredLogin,
    CodexKey,
    /// Whose model offers no WebSocket.
    CodexKeyOverHttp,
    /// The host's login, which is an API key.
    CodexKeyLogin,
    ChatGptLogin,
    /// Its access token has expired.
    ChatGptExpiredLogin,
}

/// The person's own: what the model wants to see, and what must be found nowhere else.
pub struct Purse {
    pub credential: Credential,
    pub secrets: Vec<String>,
    pub renewal: Option<Renewal>,
}

/// 2100-01-01, in seconds since 1970.
const FAR: i64 = 4_102_444_800;
/// 2020-01-01.
const PAST: i64 = 1_577_836_800;

impl Pays {
    pub fn agent(self) -> &'static str {
        match self {
            Self::ClaudeToken | Self::ClaudeKey | Self::ClaudeLogin | Self::ClaudeExpiredLogin => "claude",
            Self::CodexKey | Self::CodexKeyOverHttp | Self::CodexKeyLogin | Self::ChatGptLogin | Self::ChatGptExpiredLogin => {
                "codex"
            }
        }
    }

    /// The host that is asked.
    pub fn host(self) -> &'static str {
        match self {
            Self::ClaudeToken | Self::ClaudeKey | Self::ClaudeLogin | Self::ClaudeExpiredLogin => "api.anthropic.com",
            Self::CodexKey | Self::CodexKeyOverHttp | Self::CodexKeyLogin => "api.openai.com",
            Self::ChatGptLogin | Self::ChatGptExpiredLogin => "chatgpt.com",
        }
    }

    /// Where it is asked.
    pub fn path(self) -> &'static str {
        match self {
            Self::ClaudeToken | Self::ClaudeKey | Self::ClaudeLogin | Self::ClaudeExpiredLogin => "/v1/messages",
            Self::CodexKey | Self::CodexKeyOverHttp | Self::CodexKeyLogin => "/v1/responses",
            Self::ChatGptLogin | Self::ChatGptExpiredLogin => "/backend-api/codex/responses",
        }
    }

    /// How the person is told who pays, before the launch.
    pub fn preflight(self) -> &'static str {
        match self {
            Self::ClaudeToken => "  model      api.anthropic.com [auth:Bearer, variable MODEL_CREDENTIAL]\n",
            Self::ClaudeKey => "  model      api.anthropic.com [auth:x-api-key, variable MODEL_CREDENTIAL]\n",
            Self::ClaudeLogin | Self::ClaudeExpiredLogin => "  model      api.anthropic.com [auth:Bearer, your Claude login]\n",
            Self::CodexKey | Self::CodexKeyOverHttp => "  model      api.openai.com [auth:Bearer, variable MODEL_CREDENTIAL]\n",
            Self::CodexKeyLogin | Self::ChatGptLogin | Self::ChatGptExpiredLogin => {
                "  model      api.openai.com [auth:Bearer, your Codex login]\n             chatgpt.com [auth:Bearer, your Codex login]\n"
            }
        }
    }

    /// What else the credential would open at the host.
    pub fn account(self) -> &'static str {
        match self {
            Self::ClaudeToken | Self::ClaudeKey | Self::ClaudeLogin | Self::ClaudeExpiredLogin => {
                "/api/oauth/claude_cli/create_api_key"
            }
            Self::CodexKey | Self::CodexKeyOverHttp | Self::CodexKeyLogin => "/v1/files",
            Self::ChatGptLogin | Self::ChatGptExpiredLogin => "/backend-api/wham/tasks",
        }
    }

    /// Where the person keeps it, below the home.
    pub fn file(self) -> Option<&'static str> {
        match self {
            Self::ClaudeLogin | Self::ClaudeExpiredLogin => Some(".claude/.credentials.json"),
            Self::CodexKeyLogin | Self::ChatGptLogin | Self::ChatGptExpiredLogin => Some(".codex/auth.json"),
            Self::ClaudeToken | Self::ClaudeKey | Self::CodexKey | Self::CodexKeyOverHttp => None,
        }
    }

    /// The line of the manifest that says so.
    pub fn manifest(self) -> &'static str {
        match self {
            Self::ClaudeToken => "auth_token: MODEL_CREDENTIAL",
            Self::ClaudeKey | Self::CodexKey | Self::CodexKeyOverHttp => "api_key: MODEL_CREDENTIAL",
            Self::ClaudeLogin
            | Self::ClaudeExpiredLogin
            | Self::CodexKeyLogin
            | Self::ChatGptLogin
            | Self::ChatGptExpiredLogin => "forward_host_credentials: true",
        }
    }

    /// Gives it to the person.
    pub fn earn(self, scene: Scene) -> (Scene, Purse) {
        let variable = |credential: fn(&str) -> Credential| {
            let secret = canary("credential");
            let purse = Purse { credential: credential(&secret), secrets: vec![secret.clone()], renewal: None };
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
            Self::ClaudeLogin => claude_login(scene, FAR),
            Self::ClaudeExpiredLogin => claude_login(scene, PAST),
            Self::CodexKeyLogin => {
                let key = canary("credential");
                let login = json!({ "auth_mode": "apikey", "OPENAI_API_KEY": key });
                let purse = Purse { credential: Credential::bearer(&key), secrets: vec![key], renewal: None };
                (closed_file(scene, "home/.codex/auth.json", &login), purse)
            }
            Self::ChatGptLogin => chatgpt_login(scene, FAR),
            Self::ChatGptExpiredLogin => chatgpt_login(scene, PAST),
        }
    }
}

/// Claude Code's `.credentials.json`.
fn claude_login(scene: Scene, expires: i64) -> (Scene, Purse) {
    let [access, refresh, next_access, next_refresh] = ["access", "refresh", "next-access", "next-refresh"].map(canary);
    let login = json!({ "claudeAiOauth": {
        "accessToken": access, "refreshToken": refresh, "expiresAt": expires * 1000,
        "scopes": ["user:inference", "user:profile"], "subscriptionType": "max",
    }});
    let scene = closed_file(scene, "home/.claude/.credentials.json", &login);
    if expires == FAR {
        return (scene, Purse { credential: Credential::bearer(&access), secrets: vec![access, refresh], renewal: None });
    }
    let renewal = Renewal {
        host: "platform.claude.com",
        path: "/v1/oauth/token",
        refresh: refresh.clone(),
        tokens: json!({ "access_token": next_access, "refresh_token": next_refresh, "expires_in": 28_800 }),
    };
    let secrets = vec![next_access.clone(), next_refresh, access, refresh];
    (scene, Purse { credential: Credential::bearer(&next_access), secrets, renewal: Some(renewal) })
}

/// Codex's `auth.json`. Its tokens are JSON Web Tokens, whose last part is what nobody can make up.
fn chatgpt_login(scene: Scene, expires: i64) -> (Scene, Purse) {
    let [access, id, refresh, next_access, next_id, next_refresh] =
        ["access", "id", "refresh", "next-access", "next-id", "next-refresh"].map(canary);
    let (access_token, next_access_token) = (token(&access, expires), token(&next_access, FAR));
    let login = json!({
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": null,
        "tokens": {
            "id_token": token(&id, expires), "access_token": access_token, "refresh_token": refresh,
            "account_id": "account-of-the-test",
        },
        "last_refresh": "2026-01-01T00:00:00Z",
    });
    let scene = closed_file(scene, "home/.codex/auth.json", &login);
    if expires == FAR {
        return (
            scene,
            Purse { credential: Credential::bearer(&access_token), secrets: vec![access, id, refresh], renewal: None },
        );
    }
    let renewal = Renewal {
        host: "auth.openai.com",
        path: "/oauth/token",
        refresh: refresh.clone(),
        tokens: json!({
            "id_token": token(&next_id, FAR), "access_token": next_access_token, "refresh_token": next_refresh,
        }),
    };
    let secrets = vec![next_access, next_id, next_refresh, access, id, refresh];
    (scene, Purse { credential: Credential::bearer(&next_access_token), secrets, renewal: Some(renewal) })
}

fn closed_file(scene: Scene, path: &str, content: &Value) -> Scene {
    let scene = scene.file(path, &content.to_string());
    std::fs::set_permissions(scene.path(path), std::fs::Permissions::from_mode(0o600)).unwrap();
    scene
}

fn token(signature: &str, expires: i64) -> String {
    let account = json!({
        "chatgpt_account_id": "account-of-the-test", "chatgpt_user_id": "user-of-the-test", "chatgpt_plan_type": "plus",
    });
    let claims = json!({ "exp": expires, "email": "person@example.org", "https://api.openai.com/auth": account });
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    format!("{}.{}.{signature}", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(&claims))
}
