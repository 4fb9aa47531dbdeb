use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{self, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::{Home, StoreError, folder};

/// Something that one process at a time does, for all sessions of this person. It ends when this value is dropped or its
/// process dies.
#[derive(Debug)]
pub struct Lock {
    _file: OwnedFd,
}

impl Home {
    /// Takes the lock `name`, a word of ours, in `BOT_BOTTLE_HOME/locks`; `None` while another process or another place in
    /// this process holds it.
    ///
    /// # Errors
    /// When the folder is not the caller's alone, or the system refuses.
    pub fn try_lock(&self, name: &str) -> Result<Option<Lock>, StoreError> {
        let folder_path = self.path().join("locks");
        let folder = folder::open_private(folder::open_own(self.path())?, "locks", &folder_path)?;
        let path: PathBuf = folder_path.join(name);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = fs::openat(&folder, name, flags, Mode::RUSR | Mode::WUSR);
        let file = file.map_err(|error| StoreError::io("opening", &path, error))?;
        match fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(StoreError::io("locking", &path, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use tempfile::TempDir;

    use crate::Home;

    #[test]
    fn one_holds_it_until_it_is_dropped() {
        let folder = TempDir::new().unwrap();
        let home = Home::new(folder.path().join("home"));
        let held = home.try_lock("login").unwrap().unwrap();
        assert!(home.try_lock("login").unwrap().is_none());
        assert!(home.try_lock("another").unwrap().is_some());
        drop(held);
        assert!(home.try_lock("login").unwrap().is_some());
        let mode = std::fs::metadata(home.path().join("locks/login")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }
}
