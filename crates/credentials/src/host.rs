use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secret::Secret;

/// Where the person's own things are, as the command line found them.
#[derive(Clone)]
pub struct Host {
    /// The environment that bot-bottle was started with.
    pub variables: Variables,
    /// The home folder: `~/` in the name of a file or program.
    pub home: PathBuf,
    /// Where locks are kept: `BOT_BOTTLE_HOME`.
    pub state: store::Home,
    /// Claude Code's folder.
    pub claude: LoginFolder,
    /// Codex's folder.
    pub codex: LoginFolder,
    /// Where logins are refreshed.
    pub urls: LoginUrls,
}

/// Looks a variable of the host up.
#[derive(Clone)]
pub struct Variables(Arc<LookUp>);

type LookUp = dyn Fn(&str) -> Option<Secret> + Send + Sync;

/// Where an agent's program keeps its login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginFolder {
    /// In its usual place in the home: `.claude`, `.codex`.
    Usual,
    /// Where `CLAUDE_CONFIG_DIR` or `CODEX_HOME` says.
    Moved(PathBuf),
}

/// The token endpoints of the providers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginUrls {
    /// Claude's.
    pub claude: String,
    /// OpenAI's.
    pub codex: String,
}

impl Variables {
    /// By a function that returns the value of a variable that is set, also an empty one.
    pub fn by(lookup: impl Fn(&str) -> Option<Secret> + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }

    pub(crate) fn get(&self, name: &str) -> Option<Secret> {
        (self.0)(name)
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Variables")
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("home", &self.home).field("state", &self.state).finish_non_exhaustive()
    }
}

impl Host {
    /// Puts the home for a leading `~/`.
    pub(crate) fn expand(&self, path: &Path) -> PathBuf {
        path.strip_prefix("~").map_or_else(|_| path.to_owned(), |below| self.home.join(below))
    }
}

impl LoginFolder {
    /// By the value of the variable that may move it; a relative one counts for nothing, as in the programs themselves it would
    /// mean another folder in every place.
    pub fn by(variable: Option<PathBuf>) -> Self {
        variable.filter(|at| at.is_absolute()).map_or(Self::Usual, Self::Moved)
    }
}

impl Default for LoginUrls {
    /// The ones that the programs use: `@anthropic-ai/claude-code` 2.1.330, `codex-rs/login` of openai/codex.
    fn default() -> Self {
        Self {
            claude: "https://platform.claude.com/v1/oauth/token".to_owned(),
            codex: "https://auth.openai.com/oauth/token".to_owned(),
        }
    }
}
