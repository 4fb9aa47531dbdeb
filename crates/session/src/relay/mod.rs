//! Bytes between the caller's own streams and a program in a bottle.
//!
//! The program never holds the caller's descriptors: through `/proc/self/fd` it could open the file or terminal behind one
//! again, with other rights. It gets pipes or a terminal made for it, and threads copy. Threads, because the caller's
//! streams cannot be made non-blocking without changing them for whoever else holds them.

mod copy;
mod streams;
mod terminal;

pub use streams::{FarEnds, NearEnds, StdinFrom, StreamRelay, pipes};
pub use terminal::{Last, TerminalRelay};
