use super::path;
use crate::read::{KeyDoc, Reader, Section};
use crate::yaml::Node;
use crate::{Exclude, Workspace};

pub(crate) const SECTION: Section = Section {
    path: "workspace",
    what: "`workspace`",
    about: "Your working folder in the bottle: a copy, never the folder itself.",
    keys: &[
        KeyDoc {
            name: "copy",
            kind: "`true` or `false`",
            default: "`false`",
            about: "Whether the working folder is copied in without `--cwd`.",
            example: "true",
        },
        KeyDoc {
            name: "path",
            kind: "path in the bottle",
            default: "`/home/node/workspace`",
            about: "Where it goes. Absolute.",
            example: "/home/node/service",
        },
        KeyDoc {
            name: "exclude",
            kind: "list of names and paths",
            default: "`[]`",
            about: "What is left out: a bare name at any depth, a path with `/` as seen from the folder. No globs.",
            example: "[node_modules, target/debug]",
        },
    ],
    gone: &[],
};

pub(crate) fn read(reader: Reader<'_>, node: &Node) -> Option<Workspace> {
    let fields = reader.map(node, &SECTION)?;
    let default = Workspace::default();
    Some(Workspace {
        copy: fields.get("copy").and_then(|node| reader.bool(node, "`workspace.copy`")).unwrap_or(default.copy),
        path: fields
            .get("path")
            .and_then(|node| reader.parsed(node, "`path` of the workspace", path::guest_path))
            .unwrap_or(default.path),
        exclude: fields
            .get("exclude")
            .and_then(|node| reader.each(node, "`exclude`", |item| reader.parsed(item, "`exclude`", Exclude::parse)))
            .unwrap_or(default.exclude),
    })
}
