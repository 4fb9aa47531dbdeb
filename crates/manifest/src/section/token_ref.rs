use policy::TokenRef;

use super::path;
use crate::read::{KeyDoc, Reader, Section};
use crate::yaml::{Kind, Node, Scalar};

pub(crate) const SECTION: Section = Section {
    path: "token_ref",
    what: "a credential",
    about: "Where the host finds a credential: `token_ref` of a route's `auth`, `auth_token` and `api_key` of `agent_provider`. Either the name of a host variable, or a map with one of these. The credential itself never stands in a manifest and never enters the bottle.",
    keys: &[
        KeyDoc {
            name: "file",
            kind: "path",
            default: "—",
            about: "A file of the host, absolute or below `~/`, that holds the credential and nothing else.",
            example: "~/.config/forge/token",
        },
        KeyDoc {
            name: "command",
            kind: "list of texts",
            default: "—",
            about: "A program of the host and its arguments, never read by a shell, that prints the credential. The program is a name that is looked up in `PATH`, or a path that is absolute or below `~/`.",
            example: "[pass, show, forge/token]",
        },
    ],
    gone: &[],
};

/// Reads where a credential is found. What stands there is never shown: people paste the credential itself.
pub(crate) fn read(reader: Reader<'_>, node: &Node, what: &str) -> Option<TokenRef> {
    parse(node).map_err(|why| reader.report_hidden(&node.span, format!("bad {what}: {why}"))).ok()
}

fn parse(node: &Node) -> Result<TokenRef, String> {
    const FORMS: &str = "write the name of a host variable, `{file: PATH}` or `{command: [PROGRAM, ARGUMENT, …]}`";
    let (key, value) = match &node.kind {
        Kind::Scalar(Scalar::Text(text)) => return TokenRef::parse(text).map_err(|error| error.to_string()),
        Kind::Map(entries) => match entries.as_slice() {
            [(key, value)] => (key.name.as_str(), value),
            _ => return Err(format!("one of `file` and `command` must stand there; {FORMS}")),
        },
        Kind::Scalar(_) | Kind::List(_) => return Err(format!("{} stands there; {FORMS}", node.what())),
    };
    match (key, &value.kind) {
        ("file", Kind::Scalar(Scalar::Text(text))) => {
            path::host_path(text).map(|path| TokenRef::File(path.into())).map_err(|why| format!("bad `file`: {why}"))
        }
        ("command", Kind::List(items)) => command(items).map(TokenRef::Command).map_err(|why| format!("bad `command`: {why}")),
        ("file", _) => Err(format!("`file` must be text, not {}", value.what())),
        ("command", _) => Err(format!("`command` must be a list, not {}; write `[PROGRAM, ARGUMENT, …]`", value.what())),
        _ => Err(format!("it has an unknown key; {FORMS}")),
    }
}

fn command(items: &[Node]) -> Result<Vec<String>, String> {
    let words: Vec<String> = items
        .iter()
        .map(|item| match &item.kind {
            Kind::Scalar(Scalar::Text(text)) if !text.contains('\0') => Ok(text.clone()),
            Kind::Scalar(Scalar::Text(_)) => Err("an argument holds a NUL character".to_owned()),
            Kind::Scalar(_) | Kind::List(_) | Kind::Map(_) => {
                Err(format!("each argument must be text, not {}; put numbers into quotes", item.what()))
            }
        })
        .collect::<Result<_, _>>()?;
    let program = words.first().filter(|program| !program.is_empty()).ok_or("it names no program")?;
    // Threat: `./print-token` means whatever stands in the folder that a session happens to start in, such as a cloned
    // repository.
    if program.contains('/') {
        path::host_path(program).map_err(|why| format!("its program is neither a name nor a path: {why}"))?;
    }
    Ok(words)
}
