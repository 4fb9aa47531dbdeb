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
            Some(path) => Err(Failure::usage(format!(
                "BOT_BOTTLE_HOME must be an absolute path, not {}",
                store::escape(&path.to_string_lossy())
            ))),
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

    /// All that smolvm, and an engine that it takes images from, get to see of the environment. Machines live on with it, so nothing else is
    /// handed over.
    pub fn smolvm(&self) -> Vec<(OsString, OsString)> {
        const NAMES: [&str; 8] = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR", "DOCKER_HOST", "DOCKER_CONTEXT"];
        const STARTS: [&str; 2] = ["XDG_", "SMOLVM_"];
        let wanted = |name: &str| NAMES.contains(&name) || STARTS.iter().any(|start| name.starts_with(start));
        let variables = self.variables.iter().filter(|(name, _)| name.to_str().is_some_and(wanted));
        variables.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Whether the person is root.
    pub fn is_root(&self) -> bool {
        rustix::process::geteuid().is_root()
    }

    /// `BOT_BOTTLE_DRY_RUN`.
    ///
    /// # Errors
    /// When it says neither yes nor no.
    pub fn dry_run(&self) -> Result<bool, Failure> {
        self.switch("BOT_BOTTLE_DRY_RUN")
    }

    /// `BOT_BOTTLE_GUEST_SKILLS_DIR`.
    pub fn guest_skills(&self) -> Option<OsString> {
        self.set("BOT_BOTTLE_GUEST_SKILLS_DIR").map(OsStr::to_owned)
    }

    /// `PATH`.
    pub fn path(&self) -> OsString {
        self.set("PATH").unwrap_or(OsStr::new("/usr/local/bin:/usr/bin:/bin")).to_owned()
    }

    /// A variable that is on or off, in the words that people use for it; off when it is unset.
    fn switch(&self, name: &str) -> Result<bool, Failure> {
        let Some(value) = self.set(name) else { return Ok(false) };
        match value.to_string_lossy().to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Ok(true),
            "0" | "false" | "no" | "off" => Ok(false),
            _ => {
                Err(Failure::usage(format!("{name} is {}, which is neither yes nor no", store::escape(&value.to_string_lossy())))
                    .hint(format!("set {name} to 1 or 0, or unset it")))
            }
        }
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
    fn a_switch_is_on_or_off_and_nothing_else() {
        let dry_run = |value: &str| {
            HostEnvironment { variables: [("BOT_BOTTLE_DRY_RUN".into(), value.into())].into(), cwd: None }.dry_run()
        };
        assert!(["1", "true", "TRUE", "yes", "on"].iter().all(|value| dry_run(value).unwrap()));
        assert!(["", "0", "false", "No", "off"].iter().all(|value| !dry_run(value).unwrap()));
        for value in ["2", "flase", " ", "y n"] {
            let failure = dry_run(value).unwrap_err();
            assert!(failure.code() == 2 && failure.parts().0.contains(&format!("BOT_BOTTLE_DRY_RUN is {value}")), "{failure:?}");
        }
    }

    #[test]
    fn debug_shows_names_and_no_value() {
        let host = HostEnvironment { variables: [("TOKEN".into(), "canary-3".into())].into(), cwd: None };
        let shown = format!("{host:?}");
        assert!(shown.contains("TOKEN") && !shown.contains("canary"), "{shown}");
    }
}
