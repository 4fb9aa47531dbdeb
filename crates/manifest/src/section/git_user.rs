use crate::GitUser;
use crate::read::{KeyDoc, Reader, Section};
use crate::yaml::Node;

pub(crate) const SECTION: Section = Section {
    path: "git-gate.user",
    what: "`git-gate.user`",
    about: "The identity of commits: claimed, not vouched for. An agent may claim its own.",
    keys: &[
        KeyDoc { name: "name", kind: "text", default: "none", about: "The name.", example: "Work Bot" },
        KeyDoc { name: "email", kind: "text", default: "none", about: "The address.", example: "bot@example.org" },
    ],
    gone: &[],
};

pub(crate) fn read(reader: Reader<'_>, node: &Node) -> GitUser {
    let Some(fields) = reader.map(node, &SECTION) else { return GitUser::default() };
    let part = |key, what| fields.get(key).and_then(|node| reader.parsed(node, what, claim)).flatten();
    let user = GitUser { name: part("name", "name in `git-gate.user`"), email: part("email", "email in `git-gate.user`") };
    let said = |key| {
        fields.get(key).is_some_and(
            |node| !matches!(&node.kind, crate::yaml::Kind::Scalar(crate::yaml::Scalar::Text(text)) if text.trim().is_empty()),
        )
    };
    if !said("name") && !said("email") {
        reader.report(
            reader.error(&fields.place(), "`git-gate.user` says nothing").help("write `name`, `email` or both, or remove it"),
        );
    }
    user
}

/// An empty text says nothing. Threat: a line feed would add lines to the bottle's Git configuration.
fn claim(text: &str) -> Result<Option<String>, &'static str> {
    let text = text.trim();
    if text.len() > 256 {
        return Err("it is longer than 256 bytes");
    }
    if text.chars().any(|c| c.is_control() || matches!(c, '<' | '>')) {
        return Err("it holds `<`, `>` or a control character, which Git cannot store");
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
