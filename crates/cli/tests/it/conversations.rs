//! The real Claude Code and Codex in bottles, from prompt to answer: they converse with a scripted model that stands where their
//! provider's does, and the credential that pays for it is nowhere but there.

mod guide;
mod needles;
mod network;
mod pays;
mod records;
mod script;
mod talk;
mod token_endpoint;
mod told;

use pays::Pays;
use talk::Talk;

#[test]
fn claude_by_a_long_lived_token() {
    let Some(talk) = Talk::with_tools(Pays::ClaudeToken) else { return };
    talk.headless();
}

#[test]
fn claude_by_an_api_key() {
    let Some(talk) = Talk::with_tools(Pays::ClaudeKey) else { return };
    talk.headless();
}

#[test]
fn claude_by_the_hosts_login() {
    let Some(talk) = Talk::with_tools(Pays::ClaudeLogin) else { return };
    talk.headless();
}

#[test]
fn claude_by_the_hosts_login_that_has_expired() {
    let Some(talk) = Talk::with_tools(Pays::ClaudeExpiredLogin) else { return };
    talk.headless();
}

#[test]
fn codex_by_an_api_key_over_a_websocket() {
    let Some(talk) = Talk::with_tools(Pays::CodexKey) else { return };
    let model = talk.headless();
    assert!(!model.messages().is_empty(), "nothing came over a WebSocket");
}

#[test]
fn codex_by_an_api_key_over_http() {
    let Some(talk) = Talk::with_tools(Pays::CodexKeyOverHttp) else { return };
    let model = talk.headless();
    assert!(model.messages().is_empty(), "it was to answer over HTTP alone");
}

#[test]
fn codex_by_the_hosts_key() {
    let Some(talk) = Talk::with_tools(Pays::CodexKeyLogin) else { return };
    talk.headless();
}

#[test]
fn codex_by_the_hosts_login() {
    let Some(talk) = Talk::with_tools(Pays::ChatGptLogin) else { return };
    let model = talk.headless();
    assert!(!model.messages().is_empty(), "nothing came over a WebSocket");
}

#[test]
fn codex_by_the_hosts_login_that_has_expired() {
    let Some(talk) = Talk::with_tools(Pays::ChatGptExpiredLogin) else { return };
    talk.headless();
}

#[test]
fn two_sessions_refresh_one_login_once() {
    for pays in [Pays::ClaudeExpiredLogin, Pays::ChatGptExpiredLogin] {
        let Some(talk) = Talk::prepare(pays) else { return };
        talk.twice();
    }
}

#[test]
fn claude_on_a_terminal() {
    let Some(talk) = Talk::with_tools(Pays::ClaudeToken) else { return };
    talk.on_a_terminal();
}

/// It must not ask whether the key that it finds is to be used.
#[test]
fn claude_on_a_terminal_by_an_api_key() {
    let Some(talk) = Talk::with_tools(Pays::ClaudeKey) else { return };
    talk.on_a_terminal();
}

#[test]
fn codex_on_a_terminal_by_an_api_key() {
    let Some(talk) = Talk::with_tools(Pays::CodexKey) else { return };
    talk.on_a_terminal();
}

#[test]
fn codex_on_a_terminal() {
    let Some(talk) = Talk::with_tools(Pays::ChatGptLogin) else { return };
    talk.on_a_terminal();
}
