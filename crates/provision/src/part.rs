use std::path::Path;

use agents::GuestLink;
use bottle::tree::Source;
use bottle::{GuestPath, GuestPathError, Tree, TreePath, User};

/// One thing on its way into a bottle, and its place there.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub at: GuestPath,
    pub source: Source,
}

impl Part {
    /// A file made by us, below `node`'s home.
    pub fn file(at: GuestPath, content: impl Into<Vec<u8>>, mode: u32) -> Self {
        Self { at, source: Source::File { content: content.into(), mode } }
    }
}

/// A link of our making.
pub(crate) fn link(link: &GuestLink) -> Part {
    Part { at: link.at.clone(), source: Source::Link { target: link.target.clone() } }
}

/// Everything as one tree, and where it goes: below `node`'s home, or below `/` when a part stands elsewhere.
pub(crate) fn one_tree(parts: Vec<Part>) -> Result<(Tree, GuestPath), GuestPathError> {
    let home = Path::new(User::Node.home());
    let base = if parts.iter().all(|part| part.at.as_path().starts_with(home)) { User::Node.home() } else { "/" };
    let mut tree = Tree::new();
    for part in parts {
        let below = part.at.as_path().strip_prefix(base).unwrap_or(part.at.as_path());
        let below = TreePath::parse(below).map_err(|error| GuestPathError { path: error.path, reason: error.reason })?;
        tree = tree.with(below, part.source);
    }
    Ok((tree, GuestPath::parse(base)?))
}

/// A place below `node`'s home, from a constant or a name that was checked.
pub(crate) fn in_home(below: impl AsRef<Path>) -> Result<GuestPath, bottle::GuestPathError> {
    GuestPath::parse(User::Node.home())?.join(below)
}
