use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::{Kind, from_hex, to_hex};

/// One entry that `walk` has seen, and its line: `PATH KIND MODE UID MTIME CONTENT`, path and content in hex (a file's
/// length and [`super::digest()`], a link's target).
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

#[cfg(test)]
mod tests {
    use super::Walked;
    use crate::probe::Kind;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn lines_bring_back_what_was_walked() {
        let path = OsStr::from_bytes(b"a b\n\xff").into();
        let walked = Walked { path, kind: Kind::Link, mode: 0o4755, uid: 1000, mtime: -1, content: b"../x".to_vec() };
        let line = walked.to_line();
        assert_eq!(Walked::parse(line.trim_end()), Some(walked));
        assert_eq!(Walked::parse("zz f 644 0 0 "), None);
    }

    #[test]
    fn fingerprints_tell_contents_apart() {
        let contents: [&[u8]; 6] = [b"", b"\0", b"12345678", b"12345679", b"1234567812345678", b"8765432112345678"];
        let all: std::collections::BTreeSet<_> = contents.iter().map(|content| Walked::fingerprint(content)).collect();
        assert_eq!(all.len(), contents.len());
    }
}
