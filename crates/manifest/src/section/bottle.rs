use std::collections::BTreeMap;

use super::{NameRef, agent_provider, egress, env, git_gate, limits, names, path, workspace};
use crate::merge::Layer;
use crate::read::{GoneKey, KeyDoc, Reader, Section};
use crate::yaml::Node;

pub(crate) const SECTION: Section = Section {
    path: "",
    what: "a bottle",
    about: "Keys of `~/.bot-bottle/bottles/NAME.md`. The text below the front matter is for people and ignored.",
    keys: &[
        KeyDoc {
            name: "extends",
            kind: "name, or list of names",
            default: "none",
            about: "Bottles that this one builds on. See *How bottles merge*.",
            example: "[base, work]",
        },
        KeyDoc {
            name: "env",
            kind: "map of names to values",
            default: "`{}`",
            about: "The agent's environment. See *Environment values*.",
            example: "{LANG: C.UTF-8, TZ: \"${TZ}\"}",
        },
        KeyDoc {
            name: "agent_provider",
            kind: "map",
            default: "`{}`",
            about: "What kind of agent runs.",
            example: "{template: claude}",
        },
        KeyDoc {
            name: "git-gate",
            kind: "map",
            default: "`{}`",
            about: "Commit identity, and the repositories behind the git gate.",
            example: "{user: {name: Work Bot}}",
        },
        KeyDoc {
            name: "egress",
            kind: "map",
            default: "`{}`",
            about: "What may be reached. Nothing is, unless it is named here.",
            example: "{routes: [{host: api.example.org}]}",
        },
        KeyDoc {
            name: "supervise",
            kind: "`true` or `false`",
            default: "`true`",
            about: "Whether the agent may ask you for more while it runs.",
            example: "false",
        },
        KeyDoc {
            name: "limits",
            kind: "map",
            default: "`{}`",
            about: "What the bottle may use. A limit that the machine cannot enforce stops the launch.",
            example: "{memory: 4GiB, pids: 512}",
        },
        KeyDoc {
            name: "tools",
            kind: "list of paths",
            default: "`[]`",
            about: "Folders and files of the host that are visible in the bottle, read-only, at the same path: absolute or below `~/`. Those that hold credentials are refused.",
            example: "[~/.local/share/mise]",
        },
        KeyDoc {
            name: "workspace",
            kind: "map",
            default: "`{}`",
            about: "Your working folder in the bottle.",
            example: "{exclude: [node_modules]}",
        },
    ],
    gone: &[
        GoneKey {
            name: "git",
            why: "was replaced by `git-gate`",
            instead: "write `git-gate:` with `user: {name, email}` and `repos: {NAME: {url, key, host_key}}`",
        },
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
            name: "cred_proxy",
            why: "was replaced by `egress.routes`",
            instead: "write `egress: {routes: [{host: …, auth: {scheme: Bearer, token_ref: VARIABLE}}]}`",
        },
        GoneKey { name: "egress_proxy", why: "was replaced by `egress`", instead: "write `egress: {routes: [{host: …}]}`" },
        GoneKey {
            name: "pipelock",
            why: "was replaced by `egress.routes`",
            instead: "write `tls: passthrough` and `addresses: […]` in the routes that need it",
        },
        GoneKey {
            name: "ssh",
            why: "was replaced by `git-gate.repos`",
            instead: "write `git-gate: {repos: {NAME: {url: ssh://…, key: …}}}`; no other use of SSH exists",
        },
        GoneKey { name: "skills", why: "belongs to agents", instead: "move it to the agent's file" },
        GoneKey { name: "bottle", why: "belongs to agents", instead: "a bottle builds on others with `extends`" },
        GoneKey { name: "image", why: "stands in `agent_provider`", instead: "write `agent_provider: {image: …}`" },
        GoneKey {
            name: "command",
            why: "stands in `agent_provider`",
            instead: "write `agent_provider: {template: command, command: […]}`",
        },
    ],
};

/// A bottle's own file, before its parents are merged.
#[derive(Debug, Default)]
pub(crate) struct BottleFile {
    pub extends: Vec<NameRef>,
    pub layer: Layer,
}

pub(crate) fn read(reader: Reader<'_>, root: &Node) -> BottleFile {
    let Some(fields) = reader.map(root, &SECTION) else { return BottleFile::default() };
    let extends = fields.get("extends").map(|node| names::several(reader, node, "`extends`")).unwrap_or_default();
    let git = fields.get("git-gate").map(|node| git_gate::read(reader, node)).unwrap_or_default();
    let layer = Layer {
        env: fields.get("env").map_or_else(BTreeMap::new, |node| env::read(reader, node)),
        provider: fields.get("agent_provider").and_then(|node| agent_provider::read(reader, node)),
        user: git.user,
        repos: git.repos,
        egress: fields.get("egress").and_then(|node| egress::read(reader, node)),
        supervise: fields.get("supervise").and_then(|node| reader.bool(node, "`supervise`")),
        limits: fields.get("limits").and_then(|node| limits::read(reader, node)),
        tools: fields
            .get("tools")
            .and_then(|node| reader.each(node, "`tools`", |item| reader.parsed(item, "path in `tools`", path::host_path))),
        workspace: fields.get("workspace").and_then(|node| workspace::read(reader, node)),
    };
    BottleFile { extends, layer }
}
