use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file on the host, open to everybody, that no bottle may see or change. Removed when dropped.
pub struct CanaryFile {
    file: NamedTempFile,
    content: String,
}

impl CanaryFile {
    /// Plants one in `folder`; `None` where this user may not.
    pub fn plant(folder: &Path) -> Option<Self> {
        let content = crate::canary("file");
        let mut file = tempfile::Builder::new().prefix("bot-bottle-canary-").tempfile_in(folder).ok()?;
        file.write_all(content.as_bytes()).ok()?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o666)).ok()?;
        Some(Self { file, content })
    }

    /// Where it is on the host.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// # Panics
    /// When somebody changed it.
    pub fn assert_untouched(&self) {
        let found = fs::read_to_string(self.path()).expect("the canary is still there");
        assert_eq!(found, self.content, "{} was changed", self.path().display());
    }
}

/// A host file as it is now: content, mode, owner, time of change.
#[derive(Debug, PartialEq, Eq)]
pub struct Fingerprint {
    path: PathBuf,
    digest: u64,
    mode: u32,
    owner: u32,
    changed: (i64, i64),
}

impl Fingerprint {
    /// Takes it.
    pub fn of(path: &Path) -> Self {
        let stat = fs::metadata(path).expect("a file of the host");
        let digest = crate::probe::digest(&fs::read(path).expect("a readable file of the host"));
        Self { path: path.to_owned(), digest, mode: stat.mode(), owner: stat.uid(), changed: (stat.ctime(), stat.ctime_nsec()) }
    }
}
