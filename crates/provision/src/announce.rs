use std::fmt;

use agents::Shown;
use bottle::tree::LeftOut;
use bottle::{BottleName, GuestPath};

/// Is told what is being done. The library never prints; whoever talks to the person implements this.
pub trait Announce: Send {
    /// One thing that is about to be done, or that the person should know.
    fn announce(&mut self, notice: &Notice<'_>);
}

impl<F: FnMut(&Notice<'_>) + Send> Announce for F {
    fn announce(&mut self, notice: &Notice<'_>) {
        self(notice);
    }
}

/// What is announced; its `Display` is the line for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice<'a> {
    /// A skill is about to be copied.
    Skill {
        /// Its name.
        name: &'a str,
        /// The bottle.
        bottle: &'a BottleName,
        /// Its place there.
        to: &'a GuestPath,
    },
    /// The session's certificate authority is about to be made the bottle's own.
    Authority {
        /// The SHA-256 of its certificate: [`crate::Trust::fingerprint`].
        fingerprint: &'a str,
        /// The bottle.
        bottle: &'a BottleName,
    },
    /// An image is being made; this is what its tool says.
    Image {
        /// One line.
        line: &'a str,
    },
    /// The workspace is about to be copied.
    Workspace {
        /// The folder on the host.
        from: &'a std::path::Path,
        /// The bottle.
        bottle: &'a BottleName,
        /// Its place there.
        to: &'a GuestPath,
        /// What is left out: links that lead out of it, and what is neither file nor folder.
        left_out: &'a LeftOut,
    },
}

impl fmt::Display for Notice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skill { name, bottle, to } => write!(f, "copying skill {} into {bottle}:{to}", Shown::text(name)),
            Self::Authority { fingerprint, bottle } => {
                write!(f, "certificate authority of {bottle}: SHA-256 {fingerprint}")
            }
            Self::Image { line } => write!(f, "{}", Shown::text(line)),
            Self::Workspace { from, bottle, to, left_out } => {
                write!(f, "copying workspace {} into {bottle}:{to}", Shown::path(from))?;
                match left_out.count {
                    0 => Ok(()),
                    _some => write!(f, " (left out: {left_out}: links that lead out of it, or special files)"),
                }
            }
        }
    }
}
