use std::fmt;
use std::path::PathBuf;

use crate::{Code, Refusal, Route, Shown};

/// A route as it counts in a bottle: what it says, who says it, and whether it leads to the person's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it says.
    pub route: Route,
    /// Who says it.
    pub origin: Origin,
    /// Whose credentials it lets pass.
    pub account: Account,
}

/// Where a rule was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A manifest.
    File {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The template of the agent's provider (`claude`, `codex`).
    Provider(&'static str),
    /// The template of the agent's provider, within the bounds that a manifest sets.
    ProviderWithin {
        /// The provider.
        provider: &'static str,
        /// The manifest.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

/// Whose credentials a rule lets pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Account {
    /// The agent's own, where the route puts none in.
    #[default]
    Any,
    /// The person's alone. Threat: a key of the attacker's own, sent to an allowed model provider, turns that provider into
    /// a mailbox; an allowed host is not an allowed account.
    Ours,
}

impl Rule {
    /// What becomes of a request to the person's account where nobody pays: nothing of the agent's stands in for a credential.
    /// `None`: somebody pays, or the account is anybody's.
    pub fn unpaid(&self) -> Option<Refusal> {
        match (self.account, &self.route.auth) {
            (Account::Any, _) | (Account::Ours, Some(_)) => None,
            (Account::Ours, None) => Some(Refusal {
                code: Code::NoCredential,
                message: "this bottle's manifest names no credential for its agent's model".to_owned(),
                hint:
                    "the person names what pays in the bottle's agent_provider: auth_token, api_key or forward_host_credentials"
                        .to_owned(),
                rule: Some(self.origin.clone()),
            }),
        }
    }
}

impl Origin {
    /// As the bottle is told: of a file its name alone, because where it lies is the host's affair.
    pub fn without_folder(&self) -> Self {
        let name = |file: &PathBuf| file.file_name().map_or_else(|| file.clone(), PathBuf::from);
        match self {
            Self::File { file, line } => Self::File { file: name(file), line: *line },
            Self::Provider(provider) => Self::Provider(provider),
            Self::ProviderWithin { provider, file, line } => Self::ProviderWithin { provider, file: name(file), line: *line },
        }
    }
}

impl fmt::Display for Origin {
    /// `/home/me/.bot-bottle/bottles/work.md:12`, `the claude template`, or `the claude template within` such a place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line } => write!(f, "{}:{line}", Shown(&file.to_string_lossy())),
            Self::Provider(name) => write!(f, "the {name} template"),
            Self::ProviderWithin { provider, file, line } => {
                write!(f, "the {provider} template within {}:{line}", Shown(&file.to_string_lossy()))
            }
        }
    }
}
