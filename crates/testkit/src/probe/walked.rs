use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::{Kind, from_hex, to_hex};

/// One entry that `walk` has seen, and its line: `PATH KIND MODE UID MTIME CONTENT`, path and content in hex (a file's
/// length and [`super::digest`], a link's target).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// Relative to the path that was walked; empty for that itself.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// Permission bits, set-id and sticky bits included.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Time of modification, in seconds since 1970.
    pub mtime: i64,
    /// A file's length and digest, a link's target, nothing else's.
    pub content: Vec<u8>,
}

impl Walked {
    /// What [`Walked::content`] is for a file that holds `bytes`.
    pub fn fingerprint(bytes: &[u8]) -> Vec<u8> {
        [(bytes.len() as u64).to_be_bytes(), super::digest(bytes).to_be_bytes()].concat()
    }

    pub(super) fn to_line(&self) -> String {
        let kind = match self.kind {
            Kind::File => 'f',
            Kind::Folder => 'd',
            Kind::Link => 'l',
            Kind::Other => 'o',
        };
        let (path, content) = (to_hex(self.path.as_os_str().as_bytes()), to_hex(&self.content));
        format!("{path} {kind} {:o} {} {} {content}\n", self.mode, self.uid, self.mtime)
    }

    /// Reads a line back.
    pub fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(' ');
        let mut next = || fields.next();
        let path = PathBuf::from(OsStr::from_bytes(&from_hex(next()?)?));
        let kind = match next()? {
            "f" => Kind::File,
            "d" => Kind::Folder,
            "l" => Kind::Link,
            "o" => Kind::Other,
            _unknown => return None,
        };
        let mode = u32::from_str_radix(next()?, 8).ok()?;
        let (uid, mtime) = (next()?.parse().ok()?, next()?.parse().ok()?);
        Some(Self { path, kind, mode, uid, mtime, content: from_hex(next()?)? })
    }
}
