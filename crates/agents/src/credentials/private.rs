use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::places::{IN_HOME, MOVED_BY, PROGRAMS_INSIDE, PROGRAMS_MOVED_BY};

/// Where the person's own things are, of which no bottle sees anything.
#[derive(Debug, Clone, Copy)]
pub struct Private<'a> {
    /// The home folder.
    pub home: &'a Path,
    /// `BOT_BOTTLE_HOME`, where manifests and sessions are kept.
    pub state: &'a Path,
    /// What variables have moved out of its usual place.
    pub moved: &'a Moved,
}

/// Where variables such as `GNUPGHOME` and `XDG_CONFIG_HOME` say that credentials are kept instead of in the home.
#[derive(Debug, Clone, Default)]
pub struct Moved {
    credentials: Vec<PathBuf>,
    programs: Vec<PathBuf>,
    config: Option<PathBuf>,
}

impl Moved {
    /// Asks `variable` for the value of each variable that matters; nothing here reads the environment. Relative values are
    /// left out: what they mean depends on who reads them. `KUBECONFIG` is a list with `:`.
    pub fn by(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let mut moved =
            Self { config: variable("XDG_CONFIG_HOME").map(PathBuf::from).filter(|at| at.is_absolute()), ..Self::default() };
        for (name, below) in MOVED_BY {
            let value = variable(name).unwrap_or_default();
            for at in paths(name, &value) {
                moved.credentials.extend(below.iter().map(|below| if below.is_empty() { at.to_owned() } else { at.join(below) }));
                let programs = PROGRAMS_MOVED_BY.iter().filter(|(by, _)| by == name);
                moved.programs.extend(programs.map(|(_, below)| at.join(below)));
            }
        }
        moved
    }
}

impl Private<'_> {
    /// Every place that holds credentials, whether or not it exists. `home` is the home without links in its path.
    pub(super) fn credentials(&self, home: &Path) -> Vec<PathBuf> {
        let config = self.moved.config.as_deref();
        let in_config = config
            .into_iter()
            .flat_map(|config| IN_HOME.iter().filter_map(move |place| Some(config.join(place.strip_prefix(".config/")?))));
        // A variable that names the home itself, or what is above it, says nothing of what is where in it.
        let moved = self.moved.credentials.iter().filter(|at| !home.starts_with(at) && !self.home.starts_with(at)).cloned();
        IN_HOME.iter().map(|place| home.join(place)).chain(in_config).chain(moved).collect()
    }

    /// Whether a path is a program's inside a place of credentials.
    pub(super) fn is_program(&self, path: &Path, home: &Path) -> bool {
        let moved = self.moved.programs.iter().any(|programs| path.starts_with(programs));
        moved || PROGRAMS_INSIDE.iter().any(|inside| path.starts_with(home.join(inside)))
    }
}

fn paths<'a>(name: &str, value: &'a OsStr) -> impl Iterator<Item = &'a Path> {
    let is_list = name == "KUBECONFIG";
    let parts = value.as_bytes().split(move |byte| is_list && *byte == b':');
    parts.map(|part| Path::new(OsStr::from_bytes(part))).filter(|path| path.is_absolute())
}
