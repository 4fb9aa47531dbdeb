//! Claude Code's login: `.credentials.json` in its folder. Names, endpoint, client and body as `@anthropic-ai/claude-code`
//! 2.1.330 has and sends them.

use jiff::Timestamp;
use secret::Secret;
use serde_json::{Value, json};

use super::{Document, Held, LoginError};

/// Where it is in the folder.
pub(super) const FILE: &str = ".credentials.json";
/// The lock that the program takes before a refresh.
pub(super) const LOCK: &str = ".oauth_refresh.lock";
/// The public client of the program's own login.
const CLIENT: &str = "9d1c250a-e61b-44d9-88ed-5944d1962f5e";
const LOGIN: &str = "claudeAiOauth";

pub(super) fn read(document: &Document) -> Result<Held, LoginError> {
    let access = document.secret(&[LOGIN, "accessToken"]).ok_or(LoginError::NoLogin)?;
    let expires = document.at(&[LOGIN, "expiresAt"]).and_then(Value::as_i64);
    let expires = expires.and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok());
    Ok(Held { access, refresh: document.secret(&[LOGIN, "refreshToken"]), expires })
}

/// The body that asks for the next tokens, for the scopes that the login has.
pub(super) fn request(document: &Document, refresh: &str) -> Value {
    let mut body = json!({ "grant_type": "refresh_token", "refresh_token": refresh, "client_id": CLIENT });
    if let Some(client) = document.text(&[LOGIN, "clientId"]) {
        body["client_id"] = client.into();
    }
    if let Some(scopes) = document.at(&[LOGIN, "scopes"]).and_then(Value::as_array) {
        let scopes: Vec<&str> = scopes.iter().filter_map(Value::as_str).collect();
        if !scopes.is_empty() {
            body["scope"] = scopes.join(" ").into();
        }
    }
    body
}

/// Puts an answer into the document; everything else in it stays.
pub(super) fn put(document: &mut Document, answer: &Document) -> Option<()> {
    let access = answer.text(&["access_token"])?;
    let seconds = answer.at(&["expires_in"]).and_then(Value::as_i64)?;
    let expires = Timestamp::now().as_millisecond().checked_add(seconds.checked_mul(1000)?)?;
    let login = document.object(&[LOGIN])?;
    zeroing(login.insert("accessToken".to_owned(), access.into()));
    login.insert("expiresAt".to_owned(), expires.into());
    if let Some(refresh) = answer.text(&["refresh_token"]) {
        zeroing(login.insert("refreshToken".to_owned(), refresh.into()));
    }
    if let Some(seconds) = answer.at(&["refresh_token_expires_in"]).and_then(Value::as_i64) {
        let until = Timestamp::now().as_millisecond().saturating_add(seconds.saturating_mul(1000));
        login.insert("refreshTokenExpiresAt".to_owned(), until.into());
    }
    if let Some(scopes) = answer.text(&["scope"]) {
        login.insert("scopes".to_owned(), scopes.split_ascii_whitespace().collect::<Vec<_>>().into());
    }
    Some(())
}

/// Drops a value that stood in a document.
pub(super) fn zeroing(old: Option<Value>) {
    if let Some(Value::String(text)) = old {
        drop(Secret::new(text));
    }
}
