//! Files and folders on their way into or out of a bottle.
//!
//! A [`Tree`] says what goes in: host files and folders, or bytes made by us, each with its place. It is read on the host
//! without following any link out of it ([`Tree::scan`], [`Tree::pack`]) and travels as one tar stream (POSIX.1-2001 pax,
//! GNU long names) that a backend unpacks *inside* the bottle. A [`TreeSink`] takes what comes out.

mod host_folder;
mod link;
mod memory;
mod pack;
mod path;
mod read;
mod sink;
mod stream;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use shown::Shown;

use crate::{HostPlace, PlaceError};

pub use host_folder::HostFolder;
pub use memory::{MemoryEntry, MemorySink};
pub use path::{TreePath, TreePathError};
pub use sink::{SinkError, SinkLimits, TreeSink};

/// What goes into a bottle in one copy: members, each replaced as a whole at its own place.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    members: Vec<Member>,
}

/// One file or folder and its place, relative to the folder given to [`crate::Bottle::cp_in`].
#[derive(Debug, Clone)]
pub struct Member {
    /// Where it goes; the empty path is the `into` of the copy itself.
    pub at: TreePath,
    /// Where it comes from.
    pub source: Source,
}

/// Where a member comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file or folder on the host. Nothing below it may lead out through a link.
    Host {
        /// Which one.
        from: HostSource,
        /// What happens to what in it cannot be copied.
        uncopyable: Uncopyable,
        /// What is left out: a name wherever it stands below it; a path with `/`, as seen from it, at that place alone.
        exclude: Vec<String>,
    },
    /// Bytes made by us.
    File {
        /// The content.
        content: Vec<u8>,
        /// Permission bits, `0o600` for instance.
        mode: u32,
    },
    /// An empty folder with these permission bits.
    Folder {
        /// Permission bits, `0o755` for instance.
        mode: u32,
    },
    /// A symbolic link made by us. Nobody follows it on the way in, so it may lead anywhere.
    Link {
        /// What it points to, as seen in the bottle.
        target: PathBuf,
    },
}

/// Which file or folder of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostSource {
    /// An absolute path as the person has just named it: links in it are followed when it is read.
    Named(PathBuf),
    /// As it was looked at: whatever stands there by now, nothing else is read.
    Looked(HostPlace),
}

/// What happens to what cannot be copied: symbolic links that lead out of their member (an absolute target, or more `..` than
/// depth), FIFOs, sockets and devices. Links that stay inside are always copied as links; none is ever followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncopyable {
    /// The copy fails and names it.
    Refuse,
    /// It is left out and told of in [`Census::left_out`].
    LeaveOut,
}

/// What a tree holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Census {
    /// Regular files.
    pub files: u64,
    /// Folders, the members' own included.
    pub folders: u64,
    /// Symbolic links that stay inside, and those made by us.
    pub links: u64,
    /// What could not be copied and was left out: links that lead out, FIFOs, sockets, devices.
    pub left_out: LeftOut,
    /// Content of all files, in bytes.
    pub bytes: u64,
}

/// What of a tree was left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// How many.
    pub count: u64,
    /// The first few, in order, as seen from their member: [`LeftOut::NAMED`] at most.
    pub first: Vec<PathBuf>,
}

impl LeftOut {
    /// How many are named.
    pub const NAMED: usize = 5;

    fn add(&mut self, path: &Path) {
        self.count += 1;
        if self.first.len() < Self::NAMED {
            self.first.push(path.to_owned());
        }
    }
}

impl fmt::Display for LeftOut {
    /// The names, made safe to print, and how many more there are: `a, b and 3 more`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, path) in self.first.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { ", " }, Shown::path(path))?;
        }
        match self.count.saturating_sub(self.first.len() as u64) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl HostSource {
    /// Where it is, for messages.
    pub fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Looked(place) => place.path(),
        }
    }
}

impl Tree {
    /// An empty tree; add members with [`Tree::with`].
    pub fn new() -> Self {
        Self::default()
    }

    /// One host file or folder that becomes the `into` of the copy itself; links that lead out are refused.
    pub fn host(path: impl Into<PathBuf>) -> Self {
        let from = HostSource::Named(path.into());
        let source = Source::Host { from, uncopyable: Uncopyable::Refuse, exclude: Vec::new() };
        Self::new().with(TreePath::root(), source)
    }

    /// One file made of `content` that becomes the `into` of the copy itself.
    pub fn file(content: impl Into<Vec<u8>>, mode: u32) -> Self {
        Self::new().with(TreePath::root(), Source::File { content: content.into(), mode })
    }

    /// Adds a member.
    #[must_use]
    pub fn with(mut self, at: TreePath, source: Source) -> Self {
        self.members.push(Member { at, source });
        self
    }

    /// The members, in the order they were added: the order in which they are put in place.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Walks everything and checks what can be checked before a copy: that it exists, can be read, holds no FIFO, device or
    /// socket, that links stay inside. Copies nothing, opens no file for reading.
    ///
    /// # Errors
    /// The first thing on the host that cannot be copied.
    pub fn scan(&self) -> Result<Census, TreeError> {
        pack::scan(self)
    }

    /// Writes the tree as a tar stream: member number `i` is the entry `i` (a file, a folder or a link) with its content below `i/`.
    /// Owners are 0:0 (the receiver sets them), modes are the host's permission bits without setuid, setgid and sticky.
    /// Every host file is opened without following links and without blocking, and checked after opening. Hard links become
    /// files of their own. Order: a folder, its files and links by name, then its folders by name. Times of modification are
    /// kept to the second; a file made by us gets the current time.
    ///
    /// The stream ends with two zero blocks only when all of it was written: a receiver that has not seen them has half a
    /// tree. Holes in a sparse file travel as zeros, so a stream can be far larger than what it takes on the host's disk:
    /// ask [`Tree::scan`] for the bytes first, or let the receiver stop reading when it has had enough, which ends this.
    ///
    /// # Errors
    /// The first thing that cannot be read (it may have gone since [`Tree::scan`]), or `out`'s own error. The stream is
    /// then cut short and the receiver must throw away what it has.
    pub fn pack(&self, out: &mut dyn io::Write) -> Result<Census, TreeError> {
        pack::pack(self, out)
    }
}

/// What on the host could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// It does not exist (any more).
    #[error("{} does not exist{}", Shown::path(.path), if *.vanished { " any more: it disappeared during the copy" } else { "" })]
    Missing {
        /// The host path.
        path: PathBuf,
        /// Whether it was there a moment ago.
        vanished: bool,
    },
    /// A link leads out of the tree.
    #[error("{} is a link to {}, which leads out of {}", Shown::path(.path), Shown::path(.target), Shown::path(.tree))]
    LeadsOut {
        /// The link.
        path: PathBuf,
        /// What it points to.
        target: PathBuf,
        /// The member's root on the host.
        tree: PathBuf,
    },
    /// It is no regular file, folder or link.
    #[error("{} is a {kind}; only files, folders and links inside the tree can be copied", Shown::path(.path))]
    Special {
        /// The host path.
        path: PathBuf,
        /// `FIFO`, `socket`, `device`.
        kind: &'static str,
    },
    /// The system refused to read it.
    #[error("reading {}: {source}", Shown::path(.path))]
    Read {
        /// The host path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It changed while it was being read.
    #[error("{} changed while it was being copied", Shown::path(.path))]
    Changed {
        /// The host path.
        path: PathBuf,
    },
    /// It is not what was looked at.
    #[error(transparent)]
    Place(PlaceError),
    /// The stream's receiver is gone.
    #[error("the receiver of the copy is gone: {0}")]
    Stream(io::Error),
}
