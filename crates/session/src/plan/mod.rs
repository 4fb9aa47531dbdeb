//! Everything a launch will do, resolved and checked against the host, before anything exists.

mod build;
mod machine;
mod policy_lines;
mod preflight;
mod problem;
mod root;
mod route_line;
mod rules;

pub use build::{Choices, Host, Plan, Planner};
pub use policy_lines::{EnvLine, Limit, PolicyLines};
pub use preflight::{Preflight, WorkspaceLine};
pub use problem::{Problem, Problems};
pub use route_line::RouteLine;
pub(crate) use rules::rules_with;
pub use rules::{RuleError, rules};
