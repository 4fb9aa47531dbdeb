//! A host and a token endpoint for tests.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secret::Secret;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::pace::Pace;
use crate::{Host, LoginFolder, LoginUrls, Sources, TokenAnswer, TokenEndpoint, TokenRequest, Unreachable, Variables};

/// A home of its own, with an environment of one variable.
pub(crate) struct Scene {
    pub(crate) home: TempDir,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) pace: Pace,
    pub(crate) codex: LoginFolder,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let pace = Pace { again: Duration::from_secs(3600), short_lock: Duration::from_secs(60), ..Pace::default() };
        Self { home: TempDir::new().unwrap(), endpoint: Arc::default(), pace, codex: LoginFolder::Usual }
    }

    /// One process's sources; another call makes another process's, as far as memory goes.
    pub(crate) fn sources(&self) -> Sources {
        let host = Host {
            variables: Variables::by(|name| (name == "TOKEN").then(|| Secret::from("from-variable\n"))),
            home: self.home.path().to_owned(),
            state: store::Home::new(self.home.path().join(".bot-bottle")),
            claude: LoginFolder::Usual,
            codex: self.codex.clone(),
            urls: LoginUrls { claude: "https://claude.test/token".to_owned(), codex: "https://codex.test/token".to_owned() },
        };
        Sources::at(self.pace, host, Arc::clone(&self.endpoint) as Arc<dyn TokenEndpoint>)
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.home.path().join(below)
    }

    pub(crate) fn write(&self, below: &str, content: &[u8]) -> PathBuf {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_private(&path, content);
        path
    }

    /// A login of Claude Code whose access token holds for so many seconds more.
    pub(crate) fn claude_login(&self, access: &str, refresh: &str, seconds: i64) -> PathBuf {
        let login = json!({
            "claudeAiOauth": {
                "accessToken": access,
                "refreshToken": refresh,
                "expiresAt": Timestamp::now().as_millisecond() + seconds * 1000,
                "scopes": ["user:inference", "user:profile"],
                "subscriptionType": "max",
            },
            "mcpOAuth": { "kept": { "accessToken": "other", "n": 12345678901234567_i64 } },
        });
        self.write(".claude/.credentials.json", login.to_string().as_bytes())
    }

    /// A ChatGPT login of Codex.
    pub(crate) fn chatgpt_login(&self, refresh: &str, seconds: i64) -> PathBuf {
        let claims = json!({ "email": "me@example.org", "https://api.openai.com/auth": {
            "chatgpt_account_id": "acct-1", "chatgpt_user_id": "user-1", "chatgpt_plan_type": "plus" } });
        let login = json!({
            "OPENAI_API_KEY": null,
            "auth_mode": "chatgpt",
            "tokens": {
                "id_token": jwt(&claims),
                "access_token": jwt(&json!({ "exp": Timestamp::now().as_second() + seconds, "n": 0 })),
                "refresh_token": refresh,
                "account_id": "acct-1",
            },
            "last_refresh": "2026-01-01T00:00:00Z",
        });
        self.write(".codex/auth.json", format!("{login:#}\n").as_bytes())
    }
}

pub(crate) fn write_private(path: &Path, content: &[u8]) {
    fs::File::create(path).unwrap().write_all(content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

pub(crate) fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// An unsigned token with these claims.
pub(crate) fn jwt(claims: &Value) -> String {
    let encode = |text: &str| {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let bits: Vec<u8> = text.bytes().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
        let digit = |bits: &[u8]| (0..6).fold(0, |digit, at| digit << 1 | bits.get(at).copied().unwrap_or(0));
        bits.chunks(6).map(|bits| char::from(DIGITS[usize::from(digit(bits))])).collect::<String>()
    };
    format!("{}.{}.{}", encode(r#"{"alg":"none"}"#), encode(&claims.to_string()), encode("unsigned"))
}

/// A provider that takes every refresh token once. A token that comes a second time ends the login, as the real ones do.
#[derive(Default)]
pub(crate) struct Endpoint {
    /// The refresh token that is valid, and how many there have been; nothing while the login has ended.
    pub(crate) valid: Mutex<Option<String>>,
    pub(crate) asked: AtomicUsize,
    pub(crate) requests: Mutex<Vec<TokenRequest>>,
    /// What is answered instead.
    pub(crate) instead: Mutex<Option<Result<TokenAnswer, Unreachable>>>,
    /// Waits for a permit before it answers, when there is one to wait for.
    pub(crate) hold: Mutex<Option<Arc<tokio::sync::Semaphore>>>,
}

impl Endpoint {
    pub(crate) fn takes(&self, refresh: &str) {
        *self.valid.lock().unwrap() = Some(refresh.to_owned());
    }

    pub(crate) fn answers(&self, status: u16, body: &str) {
        *self.instead.lock().unwrap() = Some(Ok(TokenAnswer { status, body: Secret::from(body) }));
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn rotate(&self, given: &str, codex: bool) -> TokenAnswer {
        let mut valid = self.valid.lock().unwrap();
        if valid.as_deref() != Some(given) {
            *valid = None;
            return TokenAnswer { status: 400, body: Secret::from(r#"{"error":"invalid_grant"}"#) };
        }
        let next = format!("canary-refresh-{}", self.asked());
        *valid = Some(next.clone());
        let access = match codex {
            true => jwt(&json!({ "exp": Timestamp::now().as_second() + 3600, "n": self.asked() })),
            false => format!("canary-access-{}", self.asked()),
        };
        let body =
            json!({ "access_token": access, "refresh_token": next, "expires_in": 28800, "scope": "user:inference user:new" });
        TokenAnswer { status: 200, body: Secret::new(body.to_string()) }
    }
}

#[async_trait]
impl TokenEndpoint for Endpoint {
    async fn post(&self, request: TokenRequest) -> Result<TokenAnswer, Unreachable> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let body: Value = serde_json::from_slice(request.body.reveal()).unwrap();
        let codex = request.url.contains("codex");
        self.requests.lock().unwrap().push(request);
        let hold = self.hold.lock().unwrap().clone();
        if let Some(hold) = hold {
            hold.acquire().await.unwrap().forget();
        }
        tokio::task::yield_now().await;
        let instead = self.instead.lock().unwrap().clone();
        instead.unwrap_or_else(|| Ok(self.rotate(body["refresh_token"].as_str().unwrap(), codex)))
    }
}
