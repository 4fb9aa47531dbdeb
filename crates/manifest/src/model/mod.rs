//! What manifests say, parsed and checked: plain data without a trace of YAML.

mod agent;
mod bottle;
mod egress;
mod env;
mod git;
mod limits;
mod name;
mod provider;
mod resolved;
mod skill;
mod workspace;

pub use agent::{Agent, Origin};
pub use bottle::Bottle;
pub use egress::{DeclaredRoute, Egress};
pub use env::{EnvName, EnvNameError, EnvSource};
pub use git::{Git, GitUser, HostKey, HostKeyError, Repo, RepoKey, RepoName, RepoNameError, SshUrl, SshUrlError};
pub use limits::{ByteSizeError, Limits, TimeSpanError, parse_bytes, parse_time};
pub use name::{ManifestName, ManifestNameError};
pub use provider::{Image, Provider, ProviderAuth, Template};
pub use resolved::{Claimed, GitUserClaim, Resolved, Source};
pub use skill::{SkillName, SkillNameError};
pub use workspace::{Exclude, ExcludeError, Workspace};
