use std::path::{Path, PathBuf};

use bottle::{GuestPath, HostPlace, Tool};

/// What of the host is made visible in a bottle, read-only and at the same path, and how programs in it are found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visible {
    /// Folders and files for [`bottle::BottleSpec::tools`]: canonical, none inside another.
    pub tools: Vec<Tool>,
    /// Links that provisioning makes, as root.
    pub links: Vec<GuestLink>,
    /// Folders that come after [`Visible::BIN`] on the bottle's `PATH`.
    pub path_entries: Vec<PathBuf>,
}

/// A symbolic link in the bottle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestLink {
    /// Where it stands.
    pub at: GuestPath,
    /// What it points to: an absolute path that is visible in the bottle, or a relative one.
    pub target: PathBuf,
}

impl Visible {
    /// The folder of links that comes first on the bottle's `PATH`.
    pub const BIN: &'static str = "/opt/bot-bottle/bin";

    /// Adds what `other` shows. Tools inside tools are dropped; the first link at a place stays.
    pub fn merge(&mut self, other: Self) {
        for tool in other.tools {
            self.show(tool.place);
        }
        for link in other.links {
            if self.links.iter().all(|known| known.at != link.at) {
                self.links.push(link);
            }
        }
        for entry in other.path_entries {
            if !self.path_entries.contains(&entry) {
                self.path_entries.push(entry);
            }
        }
    }

    /// Shows a place, unless it is shown already.
    pub(crate) fn show(&mut self, place: HostPlace) {
        if !self.covers(place.path()) {
            self.tools.retain(|tool| !tool.path().starts_with(place.path()));
            self.tools.push(Tool { place });
        }
    }

    /// Whether `path` lies in something that is shown.
    pub(crate) fn covers(&self, path: &Path) -> bool {
        self.tools.iter().any(|tool| path.starts_with(tool.path()))
    }
}

#[cfg(test)]
mod tests {
    use bottle::{HostPlace, Tool};

    use super::Visible;

    #[test]
    fn a_tool_inside_a_tool_is_shown_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let mut visible = Visible::default();
        for path in ["a/b", "ab", "a", "a/c"].map(|path| root.join(path)) {
            std::fs::create_dir_all(&path).unwrap();
            visible.show(HostPlace::look(path).unwrap());
        }
        let paths: Vec<_> = visible.tools.iter().map(Tool::path).collect();
        assert_eq!(paths, [root.join("ab"), root.join("a")]);
    }
}
