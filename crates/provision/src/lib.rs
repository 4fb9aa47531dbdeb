//! Puts into a bottle what its agent needs: prompt, skills, workspace, git identity, provider files, links to programs, and
//! the certificates by which its programs trust the session's authority.
//!
//! Two steps. [`ProvisionPlan::build`] looks at the host alone and finds every problem at once, before a bottle exists.
//! [`provision`] then sees only a `dyn Bottle`: everything that belongs to the agent goes in as one tree, in one copy, and what
//! is root's in a second one.
//! Nothing here prints; what is being done is told to an [`Announce`].

#![forbid(unsafe_code)]

mod announce;
mod ca;
mod environment;
mod git_identity;
mod guest_place;
mod part;
mod plan;
mod programs;
mod prompt;
mod provider_files;
mod run;
mod skill;
mod workspace;

pub use announce::{Announce, Notice};
pub use ca::{Roots, Trust, TrustError, VARIABLES as TRUST_VARIABLES};
pub use environment::{Environment, EnvironmentError};
pub use git_identity::{GitIdentity, GitIdentityError};
pub use plan::{PlanError, PlanErrors, ProvisionPlan, Request};
pub use prompt::PROMPT_FILE;
pub use run::{ProvisionError, Provisioned, provision};
pub use skill::{GUEST_SKILLS, Skill, SkillError};
pub use workspace::{WORKSPACE, Workspace, WorkspaceError};
