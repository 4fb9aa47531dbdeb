//! One launch, from what is wanted to a settled state: plan, launch, provision, run, close, settle.
//!
//! - [`Planner`] checks everything on the host and makes a [`Plan`]; nothing exists yet. Its [`Preflight`] is for the person.
//! - [`Session::run`] carries it out and takes everything back, whatever ends it: the agent, a signal, a limit, an error.
//! - [`control`] is how other processes reach a running session: `exec`, `stop`.
//!
//! This crate sees bottles and backends only through their contract, never prints, and never reads the environment.

#![forbid(unsafe_code)]

pub mod control;
mod env;
mod gateway;
mod interrupts;
mod plan;
pub mod relay;
mod running;
mod session;
pub mod terminal;
mod undo;

pub use env::{Ask, Env, HostEnv, UnsetVariable};
pub use gateway::{MissingCredential, PolicySource, Reloaded, Reloader};
pub use interrupts::{Caught, Interrupts, Stopper};
pub use plan::{
    Choices, EnvLine, Host, Limit, Plan, Planner, PolicyLines, Preflight, Problem, Problems, RouteLine, RuleError, WorkspaceLine,
    rules,
};
pub use session::{Ending, Outcome, Session, SessionError};
pub use undo::{Undo, UndoError};
