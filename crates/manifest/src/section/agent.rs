use std::collections::BTreeSet;

use super::{NameRef, git_user, names};
use crate::read::{GoneKey, KeyDoc, Reader, Section};
use crate::yaml::Node;
use crate::{GitUser, SkillName};

/// Why an agent cannot have these keys: agents may come from a repository, and a repository must not grant itself anything.
const BOTTLE_ONLY: &str = "belongs to bottles alone";
const MOVE: &str = "move it to a bottle in ~/.bot-bottle/bottles/: a repository can ship agents, and must not be able to give itself more than you do";
const CLAUDE: &str = "is read by Claude Code, and ignored here";

pub(crate) const SECTION: Section = Section {
    path: "",
    what: "an agent",
    about: "Keys of `~/.bot-bottle/agents/NAME.md` and of a repository's `.bot-bottle/agents/NAME.md`. The text below the front matter is the system prompt.",
    keys: &[
        KeyDoc {
            name: "bottle",
            kind: "name",
            default: "none",
            about: "The bottle that the agent runs in unless `--bottle` chooses others.",
            example: "work",
        },
        KeyDoc {
            name: "skills",
            kind: "list of names",
            default: "`[]`",
            about: "Folders of `~/.claude/skills` that are copied in. Names are a-z, 0-9 and `-`.",
            example: "[write-tests]",
        },
        KeyDoc {
            name: "git-gate",
            kind: "map",
            default: "`{}`",
            about: "The agent's own commit identity.",
            example: "{user: {name: Fixer}}",
        },
        KeyDoc { name: "name", kind: "anything", default: "—", about: CLAUDE, example: "fixer" },
        KeyDoc { name: "description", kind: "anything", default: "—", about: CLAUDE, example: "Repairs tests" },
        KeyDoc { name: "model", kind: "anything", default: "—", about: CLAUDE, example: "opus" },
        KeyDoc { name: "color", kind: "anything", default: "—", about: CLAUDE, example: "green" },
        KeyDoc { name: "memory", kind: "anything", default: "—", about: CLAUDE, example: "project" },
    ],
    gone: &[
        GoneKey { name: "env", why: BOTTLE_ONLY, instead: MOVE },
        GoneKey { name: "egress", why: BOTTLE_ONLY, instead: MOVE },
        GoneKey { name: "agent_provider", why: BOTTLE_ONLY, instead: MOVE },
        GoneKey { name: "supervise", why: BOTTLE_ONLY, instead: MOVE },
        GoneKey { name: "limits", why: BOTTLE_ONLY, instead: MOVE },
        GoneKey { name: "tools", why: BOTTLE_ONLY, instead: MOVE },
        GoneKey { name: "workspace", why: BOTTLE_ONLY, instead: MOVE },
        GoneKey { name: "extends", why: BOTTLE_ONLY, instead: "agents do not build on each other; name a bottle with `bottle`" },
        GoneKey { name: "bottle_config", why: BOTTLE_ONLY, instead: MOVE },
        GoneKey { name: "git", why: "was replaced by `git-gate`", instead: "write `git-gate: {user: {name: …, email: …}}`" },
        GoneKey {
            name: "git_user",
            why: "was replaced by `git-gate.user`",
            instead: "write `git-gate: {user: {name: …, email: …}}`",
        },
        GoneKey {
            name: "runtime",
            why: "does not exist any more",
            instead: "remove it; how strongly a bottle is isolated is chosen at launch with `--backend`",
        },
        GoneKey {
            name: "bottles",
            why: "is called `bottle`",
            instead: "write `bottle: NAME`; several are chosen at launch with `--bottle`",
        },
        GoneKey { name: "prompt", why: "does not exist", instead: "write the prompt as text below the front matter" },
    ],
};

pub(crate) const GIT_GATE: Section = Section {
    path: "git-gate",
    what: "`git-gate` of an agent",
    about: "`git-gate.user` is as in bottles; its fields win over the bottle's.",
    keys: &[KeyDoc { name: "user", kind: "map", default: "none", about: "The identity of commits.", example: "{name: Fixer}" }],
    gone: &[
        GoneKey { name: "repos", why: BOTTLE_ONLY, instead: MOVE },
        GoneKey { name: "remotes", why: BOTTLE_ONLY, instead: MOVE },
    ],
};

/// An agent's own file.
#[derive(Debug, Default)]
pub(crate) struct AgentFile {
    pub bottle: OwnBottle,
    pub skills: Vec<SkillName>,
    pub git_user: GitUser,
}

/// The bottle that an agent names for itself.
#[derive(Debug, Default)]
pub(crate) enum OwnBottle {
    /// None.
    #[default]
    None,
    /// Something that is no name, which has been told.
    Broken,
    /// This one.
    Named(NameRef),
}

pub(crate) fn read(reader: Reader<'_>, root: &Node) -> AgentFile {
    let Some(fields) = reader.map(root, &SECTION) else { return AgentFile { bottle: OwnBottle::Broken, ..AgentFile::default() } };
    let git = fields.get("git-gate").and_then(|node| reader.map(node, &GIT_GATE));
    AgentFile {
        bottle: match fields.get("bottle").filter(|node| !node.is_null()) {
            Some(node) => names::one(reader, node, "`bottle`").map_or(OwnBottle::Broken, OwnBottle::Named),
            None => OwnBottle::None,
        },
        skills: fields.get("skills").map(|node| skills(reader, node)).unwrap_or_default(),
        git_user: git.and_then(|git| git.get("user")).map(|node| git_user::read(reader, node)).unwrap_or_default(),
    }
}

fn skills(reader: Reader<'_>, node: &Node) -> Vec<SkillName> {
    let mut skills = Vec::new();
    let mut seen = BTreeSet::new();
    for item in reader.list(node, "`skills`").unwrap_or_default() {
        let Some(skill) = reader.parsed(item, "skill", SkillName::parse) else { continue };
        if seen.insert(skill.clone()) {
            skills.push(skill);
        } else {
            reader.report(reader.error(&item.span, format!("the skill `{skill}` is named twice")).help("keep one"));
        }
    }
    skills
}
