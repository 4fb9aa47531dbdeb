use std::path::PathBuf;

/// Where manifests are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The person's own folder (`BOT_BOTTLE_HOME`, by default `~/.bot-bottle`), which may define bottles and agents.
    pub home: PathBuf,
    /// A repository's `.bot-bottle` folder, if there is one in the working folder. It may define agents.
    pub repository: Option<PathBuf>,
}
