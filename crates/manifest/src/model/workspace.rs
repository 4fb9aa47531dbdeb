use policy::Shown;

/// The person's working folder in the bottle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Whether the person's working folder is copied in without `--cwd` being asked for.
    pub copy: bool,
    /// Where it goes in the bottle: an absolute path without `.` or `..`.
    pub path: String,
    /// What is left out of the copy.
    pub exclude: Vec<Exclude>,
}

impl Workspace {
    /// Where the workspace is when nothing is said.
    pub const PATH: &'static str = "/home/node/workspace";
}

impl Default for Workspace {
    fn default() -> Self {
        Self { copy: false, path: Self::PATH.to_owned(), exclude: Vec::new() }
    }
}

/// Something that is left out of a copied workspace: a bare name leaves out everything of that name at any depth
/// (`node_modules`), a path with `/` that one file or folder, seen from the workspace (`target/debug`). No globs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exclude(String);

/// Why a text is no such thing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` cannot be left out: {why}", shown = Shown(.text))]
pub struct ExcludeError {
    /// The text.
    pub text: String,
    /// What is wrong with it, and what to write.
    pub why: &'static str,
}

impl Exclude {
    /// Parses a name or relative path; `./` in front and `/` at the end mean nothing.
    ///
    /// # Errors
    /// When it is empty, absolute, leads out of the workspace, or looks like a glob.
    pub fn parse(text: &str) -> Result<Self, ExcludeError> {
        let bad = |why| Err(ExcludeError { text: text.to_owned(), why });
        if text.starts_with('/') || text.starts_with('~') {
            return bad("write it as seen from the workspace, such as `target` or `web/dist`");
        }
        let bare = text.strip_prefix("./").unwrap_or(text);
        let bare = bare.strip_suffix('/').unwrap_or(bare);
        if bare.is_empty() || bare.len() > 1024 {
            return bad("it is empty or longer than 1024 bytes");
        }
        if bare.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return bad("it holds `.`, `..` or two slashes in a row");
        }
        if bare.contains(['*', '?', '[', '!']) {
            return bad("globs do not exist here; a bare name is left out at any depth");
        }
        if bare.chars().any(char::is_control) {
            return bad("it holds a control character");
        }
        Ok(Self(bare.to_owned()))
    }

    /// The name or path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `relative`, a path as seen from the workspace with `/` between its parts, is left out by this.
    pub fn covers(&self, relative: &str) -> bool {
        if self.0.contains('/') {
            relative.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        } else {
            relative.split('/').any(|part| part == self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exclude;

    #[test]
    fn names_at_any_depth_and_paths_at_their_place() {
        let name = Exclude::parse("node_modules/").unwrap();
        assert!(name.covers("node_modules") && name.covers("web/node_modules/x"));
        assert!(!name.covers("node_modules2") && !name.covers("web/my_node_modules"));
        let path = Exclude::parse("./target/debug").unwrap();
        assert!(path.covers("target/debug") && path.covers("target/debug/x"));
        assert!(!path.covers("target/debugger") && !path.covers("web/target/debug"));
    }

    #[test]
    fn nothing_outside_the_workspace() {
        for bad in ["", "/", ".", "..", "../x", "a/../b", "a//b", "/etc", "~/x", "*.log", "a\nb"] {
            assert!(Exclude::parse(bad).is_err(), "{bad:?}");
        }
    }
}
