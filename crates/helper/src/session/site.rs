//! What a bottle has on the host: a folder with its outlet's socket, and a lock that tells whether its session lives.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bottle::BottleName;
use tokio::net::UnixListener;

/// Ending of the lock beside a site's folder.
const LOCK: &str = "lock";
/// The socket's name in the folder.
pub const SOCKET: &str = "outlet.sock";

/// A bottle's place on the host. Dropping it removes the folder; then the lock, which is let go of.
pub struct Site {
    folder: PathBuf,
    lock_path: PathBuf,
    /// Held as long as the session lives, however it dies (`flock(2)`).
    _lock: File,
}

impl Site {
    /// Makes one below `parent` for the bottle of this name, which the lock tells.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(parent: &Path, bottle: &BottleName) -> io::Result<Self> {
        let name = format!("{:012x}", random()?);
        let lock_path = parent.join(format!("{name}.{LOCK}"));
        let mut lock = File::options().write(true).create_new(true).open(&lock_path)?;
        // A `cleanup` that looks at this very moment lets go of it at once.
        lock.lock()?;
        lock.write_all(bottle.as_str().as_bytes())?;
        let site = Self { folder: parent.join(name), lock_path, _lock: lock };
        fs::create_dir(&site.folder)?;
        // The folder above is closed to everybody else; this one is shown to the relay, whose user is nobody here.
        fs::set_permissions(&site.folder, Permissions::from_mode(0o755))?;
        Ok(site)
    }

    /// The folder, to be shown to the relay.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The lock, for the containers' labels.
    pub fn lock(&self) -> &Path {
        &self.lock_path
    }

    /// Listens on the outlet's socket.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn listen(&self) -> io::Result<UnixListener> {
        self.listen_on(SOCKET)
    }

    /// Listens on another socket in the folder.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn listen_on(&self, name: &str) -> io::Result<UnixListener> {
        // By descriptor: a socket's path has at most 107 bytes (`unix(7)`), and a home can be deep.
        let folder = File::open(&self.folder)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{name}", folder.as_raw_fd()));
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(self.folder.join(name), Permissions::from_mode(0o666))?;
        Ok(listener)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // What cannot be removed is found by its lock.
        let _ = fs::remove_dir_all(&self.folder);
        let _ = fs::remove_file(&self.lock_path);
    }
}

/// Whether the session that holds this lock is dead. A lock that may not be looked at is somebody else's.
pub fn is_dead(lock: &Path) -> bool {
    match File::options().write(true).open(lock) {
        Ok(file) => file.try_lock().is_ok(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Locks below `parent` whose sessions are dead.
pub fn dead(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == LOCK) && is_dead(path)).collect()
}

/// The bottle that a lock belongs to; `None` when it does not say.
pub fn bottle_of(lock: &Path) -> Option<BottleName> {
    BottleName::parse(&fs::read_to_string(lock).ok()?).ok()
}

/// Removes what belongs to a dead session's lock.
///
/// # Errors
/// When something could not be removed.
pub fn remove(lock: &Path) -> io::Result<()> {
    for result in [fs::remove_dir_all(lock.with_extension("")), fs::remove_file(lock)] {
        match result {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Makes the backend's own folder, closed to everybody else.
///
/// # Errors
/// When it cannot be made.
pub fn prepare(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))
}

/// An empty folder, which stays.
///
/// # Errors
/// When it cannot be made.
pub fn empty(folder: &Path) -> io::Result<PathBuf> {
    let empty = folder.join("empty");
    fs::create_dir_all(&empty)?;
    Ok(empty)
}

fn random() -> io::Result<u64> {
    let mut bytes = [0; 8];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(u64::from_ne_bytes(bytes) >> 16)
}

#[cfg(test)]
mod tests {
    use super::{Site, bottle_of, dead, is_dead, remove};
    use bottle::BottleName;

    fn name() -> BottleName {
        BottleName::parse("fixer-12345").unwrap()
    }

    #[tokio::test]
    async fn a_site_that_lives_is_not_dead_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("d".repeat(120));
        super::prepare(&deep).unwrap();
        let site = Site::new(&deep, &name()).unwrap();
        let _listener = site.listen().unwrap();
        assert!(!is_dead(site.lock()) && dead(&deep).is_empty());
        drop(site);
        assert_eq!(std::fs::read_dir(&deep).unwrap().count(), 0);
    }

    #[test]
    fn a_site_whose_session_was_killed_is_found_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let site = Site::new(folder.path(), &name()).unwrap();
        let lock = site.lock().to_owned();
        let kept = folder.path().join("kept");
        std::fs::rename(site.folder(), &kept).unwrap();
        std::fs::hard_link(&lock, folder.path().join("kept.lock")).unwrap();
        drop(site);
        assert_eq!(dead(folder.path()), [folder.path().join("kept.lock")]);
        assert_eq!(bottle_of(&folder.path().join("kept.lock")), Some(name()));
        remove(&folder.path().join("kept.lock")).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
