use serde_json::{Value, json};

use super::script::Turn;

/// Which tools a Codex offers its model: that depends on the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum CodexTools {
    /// A function `exec_command`, and `apply_patch`.
    #[default]
    Functions,
    /// One tool `exec` that runs JavaScript, in which the others are functions.
    Code,
    /// None that runs a command: a question beside the conversation, for a title.
    Aside,
}

impl CodexTools {
    /// `None` when the request tells no tools.
    pub(super) fn told_by(request: &Value) -> Option<Self> {
        let mut tools = Vec::new();
        all_tools(&request["tools"], &mut tools);
        for item in request["input"].as_array().into_iter().flatten() {
            all_tools(&item["tools"], &mut tools);
        }
        let named = |name: &str| tools.iter().find(|tool| tool["name"] == name);
        match (named("exec"), named("exec_command")) {
            // Its description tells the functions, each under a heading.
            (Some(code), _) if code["description"].as_str()?.contains("`exec_command`\n") => Some(Self::Code),
            (None, Some(_)) => Some(Self::Functions),
            (Some(_), _) => Some(Self::Aside),
            (None, None) => None,
        }
    }

    /// The item of an answer that takes `turn`, the one after `said` others.
    pub(super) fn item(self, said: usize, turn: Turn) -> Value {
        let turn = if self == Self::Aside { Turn::Say("an aside".to_owned()) } else { turn };
        let call = match turn {
            Turn::Say(text) => {
                let content = json!([{ "type": "output_text", "text": text }]);
                return json!({ "type": "message", "role": "assistant", "id": format!("msg_{said}"), "content": content });
            }
            Turn::Shell(command) => self.shell(&command),
            // Codex has no tool for skills: it is told their places and reads them.
            Turn::Skill(name) => {
                self.shell(&format!("cat ~/.agents/skills/{name}/SKILL.md || cat ~/.codex/skills/{name}/SKILL.md"))
            }
            Turn::Write { path, line } => self.patch(&format!("*** Begin Patch\n*** Add File: {path}\n+{line}\n*** End Patch\n")),
        };
        let mut item = call;
        item["call_id"] = json!(format!("call_{said}"));
        item["id"] = json!(format!("ctc_{said}"));
        item
    }

    fn shell(self, command: &str) -> Value {
        let arguments = json!({ "cmd": command, "yield_time_ms": 30_000 });
        match self {
            Self::Functions | Self::Aside => {
                json!({ "type": "function_call", "name": "exec_command", "arguments": arguments.to_string() })
            }
            Self::Code => Self::code(&format!("tools.exec_command({arguments})")),
        }
    }

    fn patch(self, patch: &str) -> Value {
        match self {
            Self::Functions | Self::Aside => json!({ "type": "custom_tool_call", "name": "apply_patch", "input": patch }),
            Self::Code => Self::code(&format!("tools.apply_patch({})", json!(patch))),
        }
    }

    fn code(expression: &str) -> Value {
        json!({ "type": "custom_tool_call", "name": "exec", "namespace": "functions", "input": format!("text(await {expression});") })
    }
}

fn all_tools<'a>(tools: &'a Value, all: &mut Vec<&'a Value>) {
    for tool in tools.as_array().into_iter().flatten() {
        all.push(tool);
        all_tools(&tool["tools"], all);
    }
}

/// Every text in what a tool answered.
pub(super) fn texts(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(texts).collect::<Vec<_>>().join("\n"),
        Value::Object(fields) => ["text", "content", "output"].iter().filter_map(|name| fields.get(*name)).map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}
