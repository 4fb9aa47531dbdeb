//! What bot-bottle keeps on disk: one folder per session while it lives, and what was refused.
//!
//! ```text
//! BOT_BOTTLE_HOME/state/<identity>/   0700, gone when the session has settled
//!     metadata.json                   who it is, for `list`
//!     lock                            held (flock) by the session's process: the kernel lets go of it however that dies
//!     control.sock                    made and served by the session
//! BOT_BOTTLE_HOME/locks/<name>     held by the one process that does something for all sessions
//! BOT_BOTTLE_HOME/audit/<identity>.jsonl   what was refused; outlives the session
//! BOT_BOTTLE_HOME/audit/<identity>.traffic.jsonl   what passed, the beginning of it
//! BOT_BOTTLE_HOME/audit/<identity>.traffic.{older,latest}.jsonl   what passed after that, the latest of it
//! ```
//!
//! The person's own path to `BOT_BOTTLE_HOME` may lead through links. Nothing below it is ever opened through one, every
//! folder must belong to the caller and be closed to others: another local user can neither plant a state folder nor
//! read one.

#![forbid(unsafe_code)]

mod atomic;
mod audit;
mod escape;
mod folder;
mod home;
mod identity;
mod journal;
mod lock;
mod metadata;
mod record_file;
mod replacement;
mod session;
mod traffic;

pub use audit::{Appended, Audit, AuditError, Record};
pub use escape::escape;
pub use folder::StoreError;
pub use home::{Home, Listed, Liveness};
pub use identity::{Identity, IdentityError};
pub use journal::{Entry, Journal};
pub use lock::Lock;
pub use metadata::{CURRENT_VERSION, Metadata, ProcessStamp};
pub use replacement::Replacement;
pub use session::SessionFolder;
pub use traffic::{Passed, Traffic};
