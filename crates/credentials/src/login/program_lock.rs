use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::claude;

/// The lock that Claude Code itself takes before it refreshes: an empty folder, whose time its holder renews. A version before
/// put it beside its own folder; the program still takes both, and so does this.
#[derive(Debug)]
pub(crate) struct ProgramLock {
    folders: Vec<PathBuf>,
}

/// A lock that has not been renewed for so long is its dead holder's.
const ABANDONED: Duration = Duration::from_secs(60);

impl ProgramLock {
    /// Takes the lock; `None` while the program holds it.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn try_take(folder: &Path) -> std::io::Result<Option<Self>> {
        let mut lock = Self { folders: Vec::new() };
        if !lock.add(folder.join(claude::LOCK))? {
            return Ok(None);
        }
        let mut beside = std::fs::canonicalize(folder)?.into_os_string();
        beside.push(".lock");
        match lock.add(beside.into()) {
            Ok(false) => Ok(None),
            // The program does without it as well when it cannot be made.
            Ok(true) | Err(_) => Ok(Some(lock)),
        }
    }

    fn add(&mut self, folder: PathBuf) -> std::io::Result<bool> {
        let make = || DirBuilder::new().mode(0o700).create(&folder);
        let made = match make() {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && is_abandoned(&folder) => {
                // Best effort: if somebody else has it now, making it fails again.
                let _ = std::fs::remove_dir(&folder);
                make()
            }
            made => made,
        };
        match made {
            Ok(()) => {
                self.folders.push(folder);
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Drop for ProgramLock {
    fn drop(&mut self) {
        for folder in self.folders.iter().rev() {
            // Best effort: the program takes what is left for abandoned after a minute.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

fn is_abandoned(folder: &Path) -> bool {
    let renewed = std::fs::symlink_metadata(folder).and_then(|metadata| metadata.modified());
    renewed.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > ABANDONED))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, FileTimes};
    use std::time::{Duration, SystemTime};

    use tempfile::TempDir;

    use super::ProgramLock;

    #[test]
    fn one_holds_it_and_leaves_nothing() {
        let home = TempDir::new().unwrap();
        let folder = home.path().join(".claude");
        fs::create_dir(&folder).unwrap();
        let lock = ProgramLock::try_take(&folder).unwrap().unwrap();
        assert!(folder.join(".oauth_refresh.lock").is_dir() && home.path().join(".claude.lock").is_dir());
        assert!(ProgramLock::try_take(&folder).unwrap().is_none());
        drop(lock);
        assert_eq!((fs::read_dir(&folder).unwrap().count(), fs::read_dir(&home).unwrap().count()), (0, 1));
    }

    #[test]
    fn the_program_is_waited_for_in_both_places_but_not_when_it_is_dead() {
        let home = TempDir::new().unwrap();
        let folder = home.path().join(".claude");
        fs::create_dir(&folder).unwrap();
        for of_program in [folder.join(".oauth_refresh.lock"), home.path().join(".claude.lock")] {
            fs::create_dir(&of_program).unwrap();
            assert!(ProgramLock::try_take(&folder).unwrap().is_none());
            let old = FileTimes::new().set_modified(SystemTime::now() - Duration::from_secs(120));
            File::open(&of_program).unwrap().set_times(old).unwrap();
            assert!(ProgramLock::try_take(&folder).unwrap().is_some());
            assert!(!of_program.exists());
        }
    }
}
