use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::script::{Credential, Script};
use super::tools::CodexTools;
use super::{anthropic, openai};
use crate::origin::{Answer, Door, Origin, Recorded};

/// A scripted model, on a free port of `127.0.0.1`. Dropping it ends it.
pub struct ModelApi {
    origin: Origin,
    state: Arc<State>,
}

pub(super) struct State {
    pub(super) script: Script,
    credentials: Vec<Credential>,
    heard: Mutex<Heard>,
    changed: Condvar,
}

#[derive(Default)]
struct Heard {
    refused: Vec<Recorded>,
    /// By the place of the turn that asked for it: agents repeat what was said.
    results: Vec<Option<String>>,
    messages: Vec<String>,
    /// By conversation.
    codex: HashMap<String, CodexTools>,
}

impl ModelApi {
    /// A model that follows `script`, for requests that carry one of `credentials`.
    pub fn start(door: Door, credentials: impl IntoIterator<Item = Credential>, script: Script) -> Self {
        let credentials = credentials.into_iter().collect();
        let state = Arc::new(State { script, credentials, heard: Mutex::default(), changed: Condvar::new() });
        let answering = state.clone();
        let origin = Origin::start(door, move |request| answer(&answering, request));
        Self { origin, state }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.origin.address()
    }

    /// The server behind it: every request and connection.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The requests that carried no credential, or another one.
    pub fn refused(&self) -> Vec<Recorded> {
        self.state.heard.lock().unwrap().refused.clone()
    }

    /// What the tools answered so far, in the order of their turns.
    pub fn results(&self) -> Vec<String> {
        self.state.heard.lock().unwrap().results.iter().flatten().cloned().collect()
    }

    /// Waits until tools have answered `count` turns, at most `bound`. Whether they have.
    pub fn wait_for_results(&self, count: usize, bound: Duration) -> bool {
        let heard = self.state.heard.lock().unwrap();
        let missing = |heard: &mut Heard| heard.results.iter().flatten().count() < count;
        !self.state.changed.wait_timeout_while(heard, bound, missing).unwrap().1.timed_out()
    }

    /// What arrived over WebSockets.
    pub fn messages(&self) -> Vec<String> {
        self.state.heard.lock().unwrap().messages.clone()
    }

    /// Everything that arrived, to be searched.
    pub fn everything(&self) -> String {
        let requests = self.origin.requests().iter().map(Recorded::everything).collect::<Vec<_>>();
        [requests, self.messages()].concat().join("\n")
    }
}

impl State {
    /// Notes the answer of a tool to the turn at `place`.
    pub(super) fn tool_said(&self, place: usize, result: String) {
        let mut heard = self.heard.lock().unwrap();
        if heard.results.len() <= place {
            heard.results.resize(place + 1, None);
        }
        heard.results[place] = Some(result);
        drop(heard);
        self.changed.notify_all();
    }

    pub(super) fn message(&self, text: &str) {
        self.heard.lock().unwrap().messages.push(text.to_owned());
    }

    /// The tools that Codex has: those that `request` tells, or the ones that its conversation told before.
    pub(super) fn codex_tools(&self, request: &Value) -> CodexTools {
        let conversation = request["prompt_cache_key"].as_str().unwrap_or_default().to_owned();
        let mut heard = self.heard.lock().unwrap();
        let known = heard.codex.entry(conversation).or_default();
        if let Some(tools) = CodexTools::told_by(request) {
            *known = tools;
        }
        *known
    }
}

fn answer(state: &Arc<State>, request: &Recorded) -> Answer {
    if !state.credentials.iter().any(|credential| credential.is_in(&request.headers)) {
        state.heard.lock().unwrap().refused.push(request.clone());
        return Answer::json(
            &json!({ "type": "error", "error": { "type": "authentication_error", "message": "not the credential" } }),
        )
        .status(401);
    }
    let (state, upgrades) = (state.clone(), request.headers.contains_key("upgrade"));
    match (request.method.as_str(), request.uri.path()) {
        ("POST", "/v1/messages") => Answer::after(move |request| anthropic::messages(&state, &body(request))),
        ("POST", "/v1/messages/count_tokens") => Answer::json(&json!({ "input_tokens": 100 })),
        ("POST", "/v1/responses" | "/backend-api/codex/responses") => {
            Answer::after(move |request| openai::responses(&state, &body(request)))
        }
        // "Upgrade Required" is what Codex takes for: not over WebSockets.
        ("GET", "/v1/responses" | "/backend-api/codex/responses") if upgrades && !state.script.has_websockets() => {
            Answer::empty(426)
        }
        ("GET", "/v1/responses" | "/backend-api/codex/responses") if upgrades => {
            Answer::websocket(move |socket| openai::talk(state.clone(), socket))
        }
        ("GET", "/backend-api/wham/accounts/check") => openai::account(request),
        // Codex has a list of its own when there is none, or none that it understands.
        (_, _) => {
            Answer::json(&json!({ "type": "error", "error": { "type": "not_found_error", "message": "not in the script" } }))
                .status(404)
        }
    }
}

fn body(request: &Recorded) -> Value {
    serde_json::from_slice(&request.body.start).unwrap_or(Value::Null)
}
