use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use testkit::origin::{Answer, Door, Origin, Recorded};

/// Where a provider's logins are refreshed (RFC 6749 §6): each refresh token counts once.
pub struct TokenEndpoint(Origin);

/// A login that has to be refreshed.
pub struct Renewal {
    pub host: &'static str,
    pub path: &'static str,
    /// The token that counts, once.
    pub refresh: String,
    /// What it is exchanged for.
    pub tokens: Value,
}

impl TokenEndpoint {
    pub fn start(door: Door, renewal: Renewal) -> Self {
        let spent = AtomicBool::new(false);
        let renewal = std::sync::Arc::new((renewal, spent));
        Self(Origin::start(door, move |_| {
            let renewal = renewal.clone();
            Answer::after(move |request| answer(request, &renewal.0, &renewal.1))
        }))
    }

    pub fn origin(&self) -> &Origin {
        &self.0
    }
}

fn answer(request: &Recorded, renewal: &Renewal, spent: &AtomicBool) -> Answer {
    let body: Value = serde_json::from_str(&request.text()).unwrap_or_default();
    let asks = request.line() == format!("POST {}", renewal.path) && body["grant_type"] == "refresh_token";
    if asks && body["refresh_token"] == renewal.refresh.as_str() && !spent.swap(true, Ordering::Relaxed) {
        return Answer::json(&renewal.tokens);
    }
    Answer::json(&json!({ "error": "invalid_grant" })).status(400)
}
