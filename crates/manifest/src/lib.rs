//! Manifests: which agents and bottles there are, what they say, and everything that is wrong with them, told at once.
//!
//! A manifest is a Markdown file with YAML front matter. Bottles are defined in the person's own folder alone; agents there and
//! in a repository's `.bot-bottle/agents`, whose author is not trusted. [`Catalogue::open`] lists names and reads nothing;
//! [`Catalogue::resolve`] reads one agent and its bottles, and merges them.
//!
//! Pure but for reading manifest files below the two folders of [`Places`]: no environment, no network, no process, nothing
//! written.

mod catalogue;
mod diagnostic;
mod expectations;
mod merge;
mod model;
mod places;
mod read;
mod reference;
mod section;
mod source;
mod yaml;

pub use catalogue::{AgentEntry, BottleEntry, Catalogue, Note, OpenError, ResolveError, first_steps};
pub use diagnostic::{Diagnostic, Style};
pub use expectations::{Case, Expectations, Expected};
pub use model::{
    Agent, Bottle, ByteSizeError, Claimed, DeclaredRoute, Egress, EnvName, EnvNameError, EnvSource, Exclude, ExcludeError, Git,
    GitUser, GitUserClaim, HostKey, HostKeyError, Image, Limits, ManifestName, ManifestNameError, Origin, Provider, ProviderAuth,
    Repo, RepoKey, RepoName, RepoNameError, Resolved, SkillName, SkillNameError, Source, SshUrl, SshUrlError, Template,
    TimeSpanError, Workspace,
};
pub use places::Places;
pub use reference::reference;
