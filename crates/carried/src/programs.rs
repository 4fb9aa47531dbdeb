//! The same programs as files that an engine, or a machine, can be shown.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Puts the helper into `folder` unless it is there; gives its path. The name holds a digest of the content, so that versions of
/// bot-bottle do not disturb each other's bottles.
///
/// # Errors
/// When the folder cannot be written to.
pub fn helper(folder: &Path) -> io::Result<PathBuf> {
    put(folder, "helper", crate::HELPER)
}

/// The same for the relay, where it runs inside the bottle.
///
/// # Errors
/// When the folder cannot be written to.
pub fn relay(folder: &Path) -> io::Result<PathBuf> {
    put(folder, "relay", crate::RELAY)
}

/// A version of the relay, for its image's name.
pub fn relay_version() -> String {
    version(crate::RELAY)
}

/// Tells contents apart.
pub fn version(content: &[u8]) -> String {
    format!("{:016x}", digest(content))
}

fn put(folder: &Path, name: &str, content: &[u8]) -> io::Result<PathBuf> {
    let path = folder.join(format!("{name}-{:016x}", digest(content)));
    // What stands there is looked at, not trusted for its name: half a file would be a bottle that does not start.
    if fs::read(&path).is_ok_and(|there| there == content) {
        return Ok(path);
    }
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    // Whoever the container's root is on the host, it may execute and not write.
    file.as_file().set_permissions(Permissions::from_mode(0o555))?;
    file.as_file().sync_all()?;
    let file: File = file.persist(&path)?;
    drop(file);
    Ok(path)
}

fn digest(content: &[u8]) -> u64 {
    let mut digest = Digest::default();
    digest.add(content);
    digest.value()
}

/// FNV-1a: tells versions apart; no secret and no adversary is involved.
#[derive(Debug)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    /// Takes more.
    pub fn add(&mut self, content: &[u8]) {
        self.0 = content.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    }

    /// What it comes to.
    pub fn value(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::put;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn half_a_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = put(folder.path(), "helper", b"whole").unwrap();
        std::fs::remove_file(&path).unwrap();
        #[allow(clippy::disallowed_methods, reason = "a test's own file")]
        std::fs::write(&path, "who").unwrap();
        assert_eq!(put(folder.path(), "helper", b"whole").unwrap(), path);
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o555);
        assert_ne!(put(folder.path(), "helper", b"other").unwrap(), path);
    }
}
