//! A model that says what the test wrote down: the APIs of Anthropic (Messages) and OpenAI (Responses, over HTTP and over a
//! WebSocket), as far as Claude Code and Codex use them.

mod anthropic;
mod api;
mod openai;
mod script;
mod tools;

pub use api::ModelApi;
pub use script::{Credential, Script, Turn};
