use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use session::HostEnv;

use crate::failure::Failure;

/// The environment of this process, read once. Nothing else in the project reads it; values go down as arguments.
pub struct HostEnvironment {
    variables: BTreeMap<OsString, OsString>,
    cwd: Option<PathBuf>,
}

impl HostEnvironment {
    /// Reads it.
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn read() -> Self {
        Self { variables: std::env::vars_os().collect(), cwd: std::env::current_dir().ok() }
    }

    /// All of it, for `${VAR}` in manifests. Values are redacted in it.
    pub fn all(&self) -> HostEnv {
        HostEnv::new(self.variables.iter().map(|(name, value)| (name.clone(), value.clone())))
    }

    /// `HOME`.
    ///
    /// # Errors
    /// When it is not set to an absolute path.
    pub fn home(&self) -> Result<&Path, Failure> {
        let home = self.set("HOME").map(Path::new).filter(|home| home.is_absolute());
        home.ok_or_else(|| Failure::new("HOME is not set to an absolute path").hint("set HOME to your home folder"))
    }

    /// `BOT_BOTTLE_HOME`, or `.bot-bottle` in the home.
    ///
    /// # Errors
    /// When it is relative, or there is no home.
    pub fn bot_bottle_home(&self) -> Result<PathBuf, Failure> {
        match self.set("BOT_BOTTLE_HOME").map(PathBuf::from) {
            Some(path) if path.is_absolute() => Ok(path),
            Some(path) => Err(Failure::usage(format!("BOT_BOTTLE_HOME must be an absolute path, not {}", path.display()))),
            None => Ok(self.home()?.join(".bot-bottle")),
        }
    }

    /// The current folder; `None` when it has been removed.
    pub fn cwd(&self) -> Option<&Path> {
        self.cwd.as_deref()
    }

    /// `BOT_BOTTLE_BACKEND`.
    pub fn backend(&self) -> Option<String> {
        self.set("BOT_BOTTLE_BACKEND").map(|name| name.to_string_lossy().into_owned())
    }

    /// `BOT_BOTTLE_RUNTIME`.
    pub fn runtime(&self) -> Option<String> {
        self.set("BOT_BOTTLE_RUNTIME").map(|name| name.to_string_lossy().into_owned())
    }

    /// What concerns an engine of containers and its images.
    pub fn docker(&self, name: &'static str) -> Option<&OsStr> {
        self.set(name)
    }

    /// `BOT_BOTTLE_DRY_RUN=1`.
    pub fn dry_run(&self) -> bool {
        self.set("BOT_BOTTLE_DRY_RUN").is_some_and(|value| value != "0")
    }

    /// `BOT_BOTTLE_GUEST_SKILLS_DIR`.
    pub fn guest_skills(&self) -> Option<OsString> {
        self.set("BOT_BOTTLE_GUEST_SKILLS_DIR").map(OsStr::to_owned)
    }

    /// `PATH`.
    pub fn path(&self) -> OsString {
        self.set("PATH").unwrap_or(OsStr::new("/usr/local/bin:/usr/bin:/bin")).to_owned()
    }

    /// What a shell uses where nothing is set counts as unset.
    fn set(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for HostEnvironment {
    /// Names of variables only: never a value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.variables.keys().collect();
        f.debug_struct("HostEnvironment").field("variables", &names).field("cwd", &self.cwd).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::HostEnvironment;

    #[test]
    fn debug_shows_names_and_no_value() {
        let host = HostEnvironment { variables: [("TOKEN".into(), "canary-3".into())].into(), cwd: None };
        let shown = format!("{host:?}");
        assert!(shown.contains("TOKEN") && !shown.contains("canary"), "{shown}");
    }
}
