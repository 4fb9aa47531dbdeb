use std::fmt;

/// One reason why a launch cannot be.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The session's name cannot be made.
    #[error(transparent)]
    Identity(#[from] store::IdentityError),
    /// The provider is not usable as it is.
    #[error(transparent)]
    Provider(#[from] agents::ProviderError),
    /// The provider cannot be paid with what the manifest names.
    #[error("agent_provider: {0}")]
    Payment(#[from] agents::CredentialNotTaken),
    /// The host's login of the agent's program.
    #[error("{0}: {hint}", hint = .0.hint)]
    Login(credentials::CredentialError),
    /// The agent's program is not there, or cannot be shown.
    #[error("the agent's program: {0}")]
    Program(#[from] agents::find::FindError),
    /// Something in `tools:`.
    #[error(transparent)]
    Tool(#[from] agents::ToolError),
    /// A host variable is missing.
    #[error("{0}; set it, or change the bottle's env")]
    Env(#[from] crate::UnsetVariable),
    /// Routes that cannot be.
    #[error("{0}: {hint}", hint = .0.hint())]
    Rules(crate::RuleError),
    /// A credential of a route is missing.
    #[error("{rule} puts in the credential of {place}, which is {}: set it, or change the route", if *.empty { "empty" } else { "not set" })]
    Credential {
        /// Where it is wanted.
        rule: policy::Origin,
        /// The variable.
        place: String,
        /// It is set, to nothing.
        empty: bool,
    },
    /// The certificates that the person names.
    #[error(transparent)]
    Trust(#[from] egress::TrustError),
    /// A limit cannot be enforced here.
    #[error("limits.{name} cannot be enforced by the {backend} backend here: {reason}")]
    Limit {
        /// Which.
        name: &'static str,
        /// The backend.
        backend: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// What the bottle's file system should be made from.
    #[error("agent_provider.{key}: {reason}")]
    Image {
        /// `image` or `dockerfile`.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Our own folder would be seen by the agent.
    #[error("BOT_BOTTLE_HOME is {}, in a system folder, which bottles see: choose a folder elsewhere, such as ~/.bot-bottle", store::escape(&.0.to_string_lossy()))]
    State(std::path::PathBuf),
    /// A place in the bottle.
    #[error("{what}: {source}")]
    Place {
        /// Which setting.
        what: &'static str,
        /// What is wrong with it.
        source: bottle::GuestPathError,
    },
    /// The workspace is larger than what the bottle can hold.
    #[error("the workspace {} has {bytes} bytes, but the bottle holds {room}: leave something out with workspace.exclude, or raise limits.disk", path.display())]
    Room {
        /// The workspace on the host.
        path: std::path::PathBuf,
        /// Its size.
        bytes: u64,
        /// What the bottle holds.
        room: u64,
    },
    /// Something to be put into the bottle.
    #[error(transparent)]
    Provision(#[from] provision::PlanError),
}

/// All reasons why a launch cannot be; never empty. Nothing has been made.
#[derive(Debug)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if index > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
