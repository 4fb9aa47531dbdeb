//! HTTP/2 as it stands on the wire, to write and read what no honest client would: frames ([`Frame`]) and header blocks
//! ([`literal`]).

mod frame;
mod hpack;

pub use frame::{ACK, END_HEADERS, END_STREAM, Frame, Kind, PADDED, PREFACE, PRIORITY};
pub use hpack::{indexed, literal, prefixed, status, text};
