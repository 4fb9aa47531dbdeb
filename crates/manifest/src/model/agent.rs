use std::fmt;
use std::path::PathBuf;

use crate::{GitUser, ManifestName, SkillName};

/// An agent as its file describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its name.
    pub name: ManifestName,
    /// Its file.
    pub file: PathBuf,
    /// Who wrote it.
    pub origin: Origin,
    /// The bottle it names for itself.
    pub bottle: Option<ManifestName>,
    /// Its skills, each once, in the order of the file.
    pub skills: Vec<SkillName>,
    /// The commit identity that it asks for.
    pub git_user: GitUser,
    /// The system prompt: the file's body without surrounding white space. May be empty.
    pub prompt: String,
}

/// Which side of the trust boundary a file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The person's own folder.
    Home,
    /// A repository's `.bot-bottle` folder: written by whoever wrote the repository.
    Repository,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Home => "home",
            Self::Repository => "repository",
        })
    }
}
