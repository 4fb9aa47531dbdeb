//! Servers that stand for the network: real ones, on a free port of `127.0.0.1`, that remember all they are asked.
//!
//! An [`Origin`] has a thread and a runtime of its own, so that a scenario test without any runtime can use it, and so that it
//! goes on answering while a test blocks. A [`RawOrigin`] says bytes, for what no honest server would.

mod answer;
mod body;
mod door;
mod feed;
mod gate;
mod git;
mod journal;
mod paths;
mod raw;
mod serve;
mod server;
mod thread;
mod websocket;

pub use answer::Answer;
pub use door::Door;
pub use feed::Feed;
pub use gate::Gate;
pub use git::git_server;
pub use journal::{BodySeen, Connected, Recorded};
pub use paths::by_path;
pub use raw::RawOrigin;
pub use server::Origin;
pub use websocket::{Message, WebSocket};
