use std::fmt;

use crate::{Agent, Bottle, ManifestName, Note};

/// An agent in the bottle it will run in: everything that manifests say about one launch.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The agent.
    pub agent: Agent,
    /// The bottles that were selected, in the order they were merged. Not empty.
    pub bottles: Vec<ManifestName>,
    /// Those bottles and all their parents, merged.
    pub bottle: Bottle,
    /// The commit identity: the agent's where it says one, otherwise the bottle's.
    pub git_user: GitUserClaim,
    /// What the person should know about the files involved.
    pub notes: Vec<Note>,
}

/// A commit identity, each part with who claims it. It is claimed, never vouched for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GitUserClaim {
    /// The name.
    pub name: Option<Claimed>,
    /// The address.
    pub email: Option<Claimed>,
}

/// A value and who says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The value.
    pub value: String,
    /// Who says it.
    pub source: Source,
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The agent's file.
    Agent,
    /// The merged bottle.
    Bottle,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Agent => "agent",
            Self::Bottle => "bottle",
        })
    }
}

impl fmt::Display for Claimed {
    /// `value (agent)` or `value (bottle)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", policy::Shown(&self.value), self.source)
    }
}
