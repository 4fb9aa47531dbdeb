//! Codex's login: `auth.json` in its folder. Names, endpoint, client and body as `codex-rs/login` of openai/codex has and
//! sends them.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::claude::zeroing;
use super::{Document, Held, LoginError, jwt};

/// Where it is in the folder.
pub(super) const FILE: &str = "auth.json";
/// The public client of the program's own login.
const CLIENT: &str = "app_EMoamEEZ73f0CkXaXp7hrann";
/// What the tokens say of the account.
const AUTH: &str = "https://api.openai.com/auth";
/// How long tokens count that do not say how long: as the program takes it.
const UNSAID: Duration = Duration::from_hours(8 * 24);

/// What kind of login Codex has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodexLogin {
    /// An API key, for `api.openai.com`.
    ApiKey,
    /// A ChatGPT account, for `chatgpt.com`.
    ChatGpt(ChatGptAccount),
}

/// What Codex shows and sends of a ChatGPT account. None of it is secret.
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

/// As the program decides it: what `auth_mode` says; without it, a key if there is one.
pub(super) fn kind(document: &Document) -> Result<CodexLogin, LoginError> {
    let has_key = document.text(&["OPENAI_API_KEY"]).is_some();
    match document.text(&["auth_mode"]) {
        Some("apikey") => Ok(CodexLogin::ApiKey),
        None if has_key => Ok(CodexLogin::ApiKey),
        Some("chatgpt") | None => account(document).map(CodexLogin::ChatGpt),
        Some(_) => Err(LoginError::OtherKind),
    }
}

pub(super) fn read(document: &Document) -> Result<Held, LoginError> {
    match kind(document)? {
        CodexLogin::ApiKey => {
            let access = document.secret(&["OPENAI_API_KEY"]).ok_or(LoginError::NoLogin)?;
            Ok(Held { access, refresh: None, expires: None })
        }
        CodexLogin::ChatGpt(_) => {
            let access = document.text(&["tokens", "access_token"]).ok_or(LoginError::NoLogin)?;
            let expires = expires(access).or_else(|| {
                let last: Timestamp = document.text(&["last_refresh"])?.parse().ok()?;
                last.checked_add(UNSAID).ok()
            });
            Ok(Held { access: access.into(), refresh: document.secret(&["tokens", "refresh_token"]), expires })
        }
    }
}

/// The body that asks for the next tokens.
pub(super) fn request(refresh: &str) -> Value {
    json!({ "client_id": CLIENT, "grant_type": "refresh_token", "refresh_token": refresh })
}

/// Puts an answer into the document; everything else in it stays.
pub(super) fn put(document: &mut Document, answer: &Document) -> Option<()> {
    answer.text(&["access_token"])?;
    let tokens = document.object(&["tokens"])?;
    for name in ["id_token", "access_token", "refresh_token"] {
        if let Some(token) = answer.text(&[name]) {
            zeroing(tokens.insert(name.to_owned(), token.into()));
        }
    }
    document.object(&[])?.insert("last_refresh".to_owned(), Timestamp::now().to_string().into());
    Some(())
}

fn account(document: &Document) -> Result<ChatGptAccount, LoginError> {
    let id_token = document.text(&["tokens", "id_token"]).ok_or(LoginError::NoLogin)?;
    let claims = jwt::claims(id_token).ok_or(LoginError::Malformed("its id_token is no JSON Web Token"))?;
    let text = |name| claims.text(&[AUTH, name]).map(str::to_owned);
    let account_id = document.text(&["tokens", "account_id"]).map(str::to_owned).or_else(|| text("chatgpt_account_id"));
    Ok(ChatGptAccount {
        account_id: account_id.ok_or(LoginError::Malformed("it names no account"))?,
        user_id: text("chatgpt_user_id").or_else(|| text("user_id")),
        plan: text("chatgpt_plan_type"),
        fedramp: claims.at(&[AUTH, "chatgpt_account_is_fedramp"]).and_then(Value::as_bool).unwrap_or(false),
    })
}

fn expires(token: &str) -> Option<Timestamp> {
    Timestamp::from_second(jwt::claims(token)?.at(&["exp"])?.as_i64()?).ok()
}
