use std::path::{Path, PathBuf};

use agents::Shown;
use bottle::tree::{Census, HostSource, Source, TreeError, Uncopyable};
use bottle::{GuestPath, HostPlace, Tool, Tree, TreePath};

use crate::guest_place;
use crate::part::Part;
use crate::plan::PlanError;

/// Where skills go in a bottle, unless the person says otherwise.
pub const GUEST_SKILLS: &str = "/home/node/.claude/skills";

/// Longest name, in bytes.
const LONGEST: usize = 64;

/// A skill that has been looked at on the host and can be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skill {
    name: String,
    host: HostPlace,
    census: Census,
}

/// Why a skill cannot be copied.
#[derive(Debug, thiserror::Error)]
pub enum SkillError {
    /// The name could mean another place, or be taken for something else.
    #[error("bad skill name {:?}: use 1 to {LONGEST} of a-z, 0-9 and '-', and begin with a letter or digit", .0.chars().take(80).collect::<String>())]
    Name(String),
    /// There is no such folder.
    #[error("no skill {name}: {} does not exist; make it, or take {name} out of the agent's skills", Shown::path(.path))]
    Missing {
        /// Its name.
        name: String,
        /// Where it should be.
        path: PathBuf,
    },
    /// There is something else.
    #[error("skill {name} is not a folder: {}", Shown::path(.path))]
    NotAFolder {
        /// Its name.
        name: String,
        /// What is there.
        path: PathBuf,
    },
    /// A place in the bottle that holds something else.
    #[error(
        "BOT_BOTTLE_GUEST_SKILLS_DIR: skill {name} cannot stand at {at}: {reason}; choose a folder such as {GUEST_SKILLS} or /srv/skills"
    )]
    Guest {
        /// Its name.
        name: String,
        /// The place.
        at: GuestPath,
        /// What is there.
        reason: String,
    },
    /// Something in it cannot be copied.
    #[error("skill {name}: {source}")]
    Content {
        /// Its name.
        name: String,
        /// What, and why not.
        source: TreeError,
    },
}

impl Skill {
    /// Looks at the skill `name` in the person's folder of skills: everything that a copy will read, except contents.
    ///
    /// The skill's folder may be a link (the person put it there); nothing in it may lead out of it, or a skill could hand
    /// over any file of the home.
    ///
    /// # Errors
    /// See [`SkillError`].
    pub fn validate(name: &str, host_skills: &Path) -> Result<Self, SkillError> {
        if !is_name(name) {
            return Err(SkillError::Name(name.to_owned()));
        }
        let host = host_skills.join(name);
        let content = |source| SkillError::Content { name: name.to_owned(), source };
        let host = match HostPlace::look(&host) {
            Ok(place) if place.is_folder() => place,
            Ok(_) => return Err(SkillError::NotAFolder { name: name.to_owned(), path: host }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(SkillError::Missing { name: name.to_owned(), path: host });
            }
            Err(source) => return Err(content(TreeError::Read { path: host, source })),
        };
        let census = Tree::new().with(TreePath::root(), source(&host)).scan().map_err(content)?;
        Ok(Self { name: name.to_owned(), host, census })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its folder on the host, no link in its path.
    pub fn host(&self) -> &Path {
        self.host.path()
    }

    /// What it holds.
    pub fn census(&self) -> &Census {
        &self.census
    }

    /// Whether it may stand in `folder` in the bottle, where `tools` of the host are visible.
    pub(crate) fn check_place(&self, folder: &GuestPath, tools: &[Tool]) -> Result<(), PlanError> {
        let at = folder.join(&self.name)?;
        guest_place::check(&at, tools).map_err(|reason| SkillError::Guest { name: self.name.clone(), at, reason }.into())
    }

    pub(crate) fn part(&self, folder: &GuestPath) -> Result<Part, bottle::GuestPathError> {
        Ok(Part { at: folder.join(&self.name)?, source: source(&self.host) })
    }
}

fn source(host: &HostPlace) -> Source {
    Source::Host { from: HostSource::Looked(host.clone()), uncopyable: Uncopyable::Refuse, exclude: Vec::new() }
}

fn is_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(legal) && !name.starts_with('-')
}

#[cfg(test)]
mod tests;
