use std::fmt;
use std::path::{Path, PathBuf};

use crate::ManifestName;
use crate::diagnostic::shown_path;

/// Something that was ignored or skipped, and that the person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A repository ships bottles. Bottles map the host's variables and open ways out; no repository may.
    RepositoryBottles {
        /// Its `bottles` folder.
        folder: PathBuf,
    },
    /// A file's name cannot be an agent's or a bottle's.
    BadFileName {
        /// The file.
        file: PathBuf,
    },
    /// A manifest of the old kind.
    OldJson {
        /// The file.
        file: PathBuf,
    },
    /// Home and repository both define an agent; home's is taken.
    Shadowed {
        /// The agent's name.
        name: ManifestName,
        /// The file that is taken.
        home: PathBuf,
        /// The file that is not.
        repository: PathBuf,
    },
    /// A repository's folder cannot be listed.
    UnusableFolder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        why: String,
    },
    /// A folder holds more files than are looked at.
    TooManyFiles {
        /// The folder.
        folder: PathBuf,
        /// How many are looked at.
        limit: usize,
    },
    /// Several bottles bring routes to one host; all of them are in force.
    HostFromSeveral {
        /// The host or pattern.
        host: String,
        /// The files, in the order of the routes.
        files: Vec<PathBuf>,
    },
}

impl Note {
    /// The file or folder that it is about.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::RepositoryBottles { folder } | Self::UnusableFolder { folder, .. } | Self::TooManyFiles { folder, .. } => {
                Some(folder)
            }
            Self::BadFileName { file } | Self::OldJson { file } | Self::Shadowed { repository: file, .. } => Some(file),
            Self::HostFromSeveral { files, .. } => files.first().map(PathBuf::as_path),
        }
    }
}

impl fmt::Display for Note {
    /// One line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RepositoryBottles { folder } => {
                write!(
                    f,
                    "ignored {}: only your own folder can define bottles, because a bottle grants access",
                    shown_path(folder)
                )
            }
            Self::BadFileName { file } => {
                write!(
                    f,
                    "skipped {}: a manifest's name is 1 to {} of a-z, 0-9 and `-` after a letter, and `.md`",
                    shown_path(file),
                    ManifestName::MAX
                )
            }
            Self::OldJson { file } => {
                write!(
                    f,
                    "ignored {}: manifests are Markdown files in agents/ and bottles/ now; move its content there and delete it",
                    shown_path(file)
                )
            }
            Self::Shadowed { name, home, repository } => {
                write!(
                    f,
                    "agent {name}: {} is taken and the repository's {} is not, because both define it",
                    shown_path(home),
                    shown_path(repository)
                )
            }
            Self::UnusableFolder { folder, why } => write!(f, "ignored {}: {why}", shown_path(folder)),
            Self::TooManyFiles { folder, limit } => {
                write!(f, "{} holds more than {limit} files; the rest is ignored", shown_path(folder))
            }
            Self::HostFromSeveral { host, files } => {
                let files: Vec<String> = files.iter().map(|file| shown_path(file)).collect();
                write!(f, "several bottles have routes to {host}, and all are in force: {}", files.join(", "))
            }
        }
    }
}
