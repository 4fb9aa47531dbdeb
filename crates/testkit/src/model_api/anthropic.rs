//! Anthropic's Messages API: <https://docs.anthropic.com/en/api/messages>, and its streaming form.

use serde_json::{Value, json};

use super::api::State;
use super::script::Turn;
use crate::origin::Answer;

pub(super) fn messages(state: &State, request: &Value) -> Answer {
    let said = note_results(state, request);
    let has_tools = request["tools"].as_array().is_some_and(|tools| tools.iter().any(|tool| tool["name"] == "Bash"));
    if !has_tools {
        // A question beside the conversation: a title, whether there is quota left.
        return answer(request, said, &json!({ "type": "text", "text": "{\"title\": \"a script\"}" }));
    }
    let answer = answer(request, said, &content(state, said));
    match state.script.gate(said) {
        Some(gate) => answer.behind(gate),
        None => answer,
    }
}

fn answer(request: &Value, said: usize, content: &Value) -> Answer {
    let streams = request["stream"] == true;
    let message = |content: Value| {
        json!({
            "id": format!("msg_{said}"), "type": "message", "role": "assistant", "model": request["model"], "content": content,
            "stop_reason": Value::Null, "stop_sequence": Value::Null, "usage": { "input_tokens": 100, "output_tokens": 1 },
        })
    };
    let reason = if content["type"] == "tool_use" { "tool_use" } else { "end_turn" };
    if !streams {
        let mut whole = message(json!([content]));
        whole["stop_reason"] = json!(reason);
        return Answer::json(&whole);
    }
    let (mut start, delta) = (content.clone(), delta(content));
    start["text"].take();
    if content["type"] == "tool_use" {
        start = json!({ "type": "tool_use", "id": content["id"], "name": content["name"], "input": {} });
    } else {
        start["text"] = json!("");
    }
    let events = [
        json!({ "type": "message_start", "message": message(json!([])) }),
        json!({ "type": "content_block_start", "index": 0, "content_block": start }),
        json!({ "type": "ping" }),
        json!({ "type": "content_block_delta", "index": 0, "delta": delta }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({
            "type": "message_delta", "delta": { "stop_reason": reason, "stop_sequence": Value::Null },
            "usage": { "output_tokens": 20 },
        }),
        json!({ "type": "message_stop" }),
    ];
    let text: String =
        events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default())).collect();
    Answer::bytes(text).header("content-type", "text/event-stream")
}

fn delta(content: &Value) -> Value {
    if content["type"] == "tool_use" {
        json!({ "type": "input_json_delta", "partial_json": content["input"].to_string() })
    } else {
        json!({ "type": "text_delta", "text": content["text"] })
    }
}

/// One content block.
fn content(state: &State, said: usize) -> Value {
    let tool =
        |name: &str, input: Value| json!({ "type": "tool_use", "id": format!("toolu_{said}"), "name": name, "input": input });
    match state.script.at(said) {
        Turn::Say(text) => json!({ "type": "text", "text": text }),
        Turn::Shell(command) => tool("Bash", json!({ "command": command, "description": "what the script says" })),
        Turn::Write { path, line } => tool("Write", json!({ "file_path": path, "content": format!("{line}\n") })),
        Turn::Skill(name) => tool("Skill", json!({ "skill": name })),
    }
}

/// Notes what the tools answered; says how many turns there were.
fn note_results(state: &State, request: &Value) -> usize {
    let messages = request["messages"].as_array().map_or(&[][..], Vec::as_slice);
    for block in messages.iter().flat_map(|message| message["content"].as_array().into_iter().flatten()) {
        let place = block["tool_use_id"].as_str().and_then(|id| id.strip_prefix("toolu_")).and_then(|place| place.parse().ok());
        if let (Some(place), "tool_result") = (place, block["type"].as_str().unwrap_or_default()) {
            state.tool_said(place, super::tools::texts(&block["content"]));
        }
    }
    messages.iter().filter(|message| message["role"] == "assistant").count()
}
