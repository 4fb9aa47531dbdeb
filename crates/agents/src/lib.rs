//! What kinds of agent there are, how each is started and fed, and where its program stands on the host.
//!
//! Pure data and looking at host files: nothing here holds a bottle, starts a program or reads the environment. Values
//! such as `PATH` and the home folder are passed in.
//!
//! - [`Provider`] and [`AgentCommand`]: the templates `claude`, `codex` and `command`, and the argument vector they make.
//! - [`Credential`]: what the model is paid with; hosts, [`Placeholder`]s and files of a [`Provider`] follow from it.
//! - [`find::find`]: the agent's program as the person's shell finds it, and the install folder that has to be visible.
//! - [`resolve_tools`]: the `tools:` of a manifest.
//! - [`Visible`]: what both give: read-only tools, links and `PATH` entries.
//! - [`credentials`]: what is never shown to a bottle.

#![forbid(unsafe_code)]

mod claude;
mod codex;
mod command;
mod credential;
pub mod credentials;
pub mod find;
mod model_requests;
mod placeholder;
mod provider;
mod runtime;
mod template;
mod tools;
mod visible;

pub use command::{AgentCommand, Invocation, Mode};
pub use credential::{ChatGptAccount, Credential, CredentialNotTaken};
pub use placeholder::{Placeholder, PlaceholderPlace};
pub use provider::{Provider, ProviderError, ProviderFile};
pub use runtime::{Headless, PromptMode, Runtime};
pub use shown::Shown;
pub use template::{Template, UnknownTemplate};
pub use tools::{ToolError, resolve_tools};
pub use visible::{GuestLink, Visible};
