//! OpenAI's Responses API: <https://platform.openai.com/docs/api-reference/responses>, and its WebSocket form
//! (<https://developers.openai.com/api/docs/guides/websocket-mode/>).

use std::sync::Arc;

use serde_json::{Value, json};

use super::api::State;
use super::tools::{CodexTools, texts};
use crate::origin::{Answer, Gate, Message, Recorded, WebSocket};

/// Where the workspace of a ChatGPT account is: anywhere. Codex asks nothing else before it knows.
pub(super) fn account(request: &Recorded) -> Answer {
    let id = request.header("chatgpt-account-id").unwrap_or_default();
    let anywhere = "NO_CONSTRAINT";
    Answer::json(&json!({
        "accounts": [{ "id": id, "workspace_backend_origin": anywhere, "account_routing_override": anywhere }],
    }))
}

pub(super) fn responses(state: &State, request: &Value) -> Answer {
    let Said { events, gate } = answer(state, request);
    let text: String =
        events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default())).collect();
    let answer = Answer::bytes(text).header("content-type", "text/event-stream");
    match gate {
        Some(gate) => answer.behind(gate),
        None => answer,
    }
}

pub(super) async fn talk(state: Arc<State>, mut socket: WebSocket) {
    while let Some(message) = socket.next().await {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        };
        state.message(&text);
        let request: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if request["type"] != "response.create" {
            continue;
        }
        let Said { events, gate } = answer(&state, &request);
        if let Some(gate) = gate {
            gate.passed().await;
        }
        for event in events {
            socket.send_text(&event.to_string()).await;
        }
    }
}

/// What is answered, and what that waits for.
struct Said<'a> {
    events: Vec<Value>,
    gate: Option<&'a Gate>,
}

fn answer<'a>(state: &'a State, request: &Value) -> Said<'a> {
    let tools = state.codex_tools(request);
    // A connection made beforehand asks for nothing yet.
    let idle = request["generate"] == false;
    let said = note_results(state, request);
    // An answer's id says how many turns there were with it: a request over a WebSocket names the last one and sends only
    // what is new.
    let id = format!("resp_{}", if idle { said } else { said + 1 });
    let mut events = vec![json!({ "type": "response.created", "response": { "id": id } })];
    if !idle {
        let item = tools.item(said, state.script.at(said));
        events.push(json!({ "type": "response.output_item.added", "output_index": 0, "item": item }));
        events.push(json!({ "type": "response.output_item.done", "output_index": 0, "item": item }));
    }
    let usage = json!({
        "input_tokens": 100, "input_tokens_details": { "cached_tokens": 0 },
        "output_tokens": 20, "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": 120,
    });
    events.push(json!({ "type": "response.completed", "response": { "id": id, "usage": usage } }));
    Said { events, gate: state.script.gate(said).filter(|_| !idle && tools != CodexTools::Aside) }
}

/// Notes what the tools answered; says how many turns there were.
fn note_results(state: &State, request: &Value) -> usize {
    let input = request["input"].as_array().map_or(&[][..], Vec::as_slice);
    for item in input {
        let place = item["call_id"].as_str().and_then(|id| id.strip_prefix("call_")).and_then(|place| place.parse().ok());
        if let (Some(place), "function_call_output" | "custom_tool_call_output") =
            (place, item["type"].as_str().unwrap_or_default())
        {
            state.tool_said(place, texts(&item["output"]));
        }
    }
    let before =
        request["previous_response_id"].as_str().and_then(|id| id.strip_prefix("resp_")).and_then(|said| said.parse().ok());
    let ours = |item: &&Value| match item["type"].as_str().unwrap_or_default() {
        "message" => item["role"] == "assistant",
        kind => matches!(kind, "function_call" | "custom_tool_call"),
    };
    before.unwrap_or(0) + input.iter().filter(ours).count()
}
