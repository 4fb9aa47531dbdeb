//! Everything a launch will do, resolved and checked against the host, before anything exists.

mod build;
mod preflight;
mod problem;

pub use build::{Choices, Host, Plan, Planner};
pub use preflight::{EnvLine, Limit, Preflight, WorkspaceLine};
pub use problem::{Problem, Problems};
