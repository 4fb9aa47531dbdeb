//! Giving up whatever could serve somebody who took the relay over.

use std::io;

use crate::{Way, sys};

/// An id that nothing else has: neither the bottle's users nor the helper.
const RELAY: u32 = 65_001;

/// After this nothing is left but open sockets and the right to connect to the session's.
pub fn give_up(way: Way) -> io::Result<()> {
    sys::no_new_privileges()?;
    if way == Way::Transparent {
        sys::empty_bounding_set()?;
        // Leaving id 0 clears every capability set (`capabilities(7)`, "Effect of user ID changes").
        sys::become_user(RELAY)?;
    }
    sys::drop_capabilities()?;
    // After the change of user, which may undo it.
    sys::close_to_tracing()?;
    sys::confine()
}
