use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{self, AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::StoreError;

/// A new content for a file of the person's own that another program reads too, such as a login. Room for it is made first and
/// the content is put in place later, so that what would prevent the writing is known before the content exists.
///
/// Unlike what a session keeps, it is forced to the disk: nobody could make it a second time.
#[derive(Debug)]
pub struct Replacement {
    folder: OwnedFd,
    draft: String,
    name: String,
    path: PathBuf,
    file: File,
}

static DRAFTS: AtomicU32 = AtomicU32::new(0);

impl Replacement {
    /// Makes room for `room` bytes beside `path`, which must be a regular file of the caller's and no link. The new file will
    /// have its permissions.
    ///
    /// # Errors
    /// When the file is not the caller's, or the folder or the disk takes no new file.
    pub fn prepare(path: &Path, room: u64) -> Result<Self, StoreError> {
        let io = |error: Errno| StoreError::io("writing", path, error);
        let (Some(parent), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
            return Err(io(Errno::INVAL));
        };
        let folder = fs::openat(CWD, parent, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).map_err(io)?;
        let mode = permissions(&folder, name, path)?;
        let draft = format!(".{name}.{}.{}", std::process::id(), DRAFTS.fetch_add(1, Ordering::Relaxed));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(fs::openat(&folder, &draft, flags, Mode::RUSR | Mode::WUSR).map_err(io)?);
        let replacement = Self { folder, draft, name: name.to_owned(), path: path.to_owned(), file };
        fs::fchmod(&replacement.file, mode).map_err(io)?;
        match fs::fallocate(&replacement.file, fs::FallocateFlags::empty(), 0, room.max(1)) {
            // Not every file system knows how; then the writing tells.
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(replacement),
            Err(error) => Err(io(error)),
        }
    }

    /// Puts the content in place: whoever reads the file sees the old or the new content, never half of either.
    ///
    /// # Errors
    /// When the system refuses; the old content then stands.
    pub fn place(mut self, content: &[u8]) -> Result<(), StoreError> {
        // Cut to length after writing: the room that was made must not be given back first.
        let length = content.len() as u64;
        let written = self.file.write_all(content).and_then(|()| self.file.set_len(length)).and_then(|()| self.file.sync_all());
        written.map_err(|source| StoreError::Io { operation: "writing", path: self.path.clone(), source })?;
        let placed = fs::renameat(&self.folder, &self.draft, &self.folder, &self.name);
        placed.map_err(|error| StoreError::io("writing", &self.path, error))
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        // Nothing is there under this name once it is in place.
        let _ = fs::unlinkat(&self.folder, &self.draft, AtFlags::empty());
    }
}

fn permissions(folder: &OwnedFd, name: &str, path: &Path) -> Result<Mode, StoreError> {
    let stat = fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| StoreError::io("reading", path, error))?;
    let refuse = |what: String| Err(StoreError::Unsafe { path: path.to_owned(), what });
    if fs::FileType::from_raw_mode(stat.st_mode) != fs::FileType::RegularFile {
        return refuse("a link, or no file".to_owned());
    }
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return refuse(format!("owned by user {}", stat.st_uid));
    }
    Ok(Mode::from_raw_mode(stat.st_mode & 0o777))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use tempfile::TempDir;

    use super::Replacement;

    fn names(folder: &TempDir) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn file(folder: &TempDir, mode: u32) -> std::path::PathBuf {
        let path = folder.path().join("login.json");
        fs::File::create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn the_content_is_replaced_and_the_permissions_stay() {
        let folder = TempDir::new().unwrap();
        for mode in [0o600, 0o640] {
            let path = file(&folder, mode);
            Replacement::prepare(&path, 4096).unwrap().place(b"new").unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"new");
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
            assert_eq!(names(&folder), ["login.json"]);
        }
    }

    #[test]
    fn what_is_given_up_leaves_nothing() {
        let folder = TempDir::new().unwrap();
        let path = file(&folder, 0o600);
        let (one, two) = (Replacement::prepare(&path, 10).unwrap(), Replacement::prepare(&path, 10).unwrap());
        assert_eq!(names(&folder).len(), 3, "two at once do not meet");
        drop((one, two));
        assert_eq!(names(&folder), ["login.json"]);
    }

    #[test]
    fn a_link_or_a_folder_is_not_replaced() {
        let folder = TempDir::new().unwrap();
        let link = folder.path().join("link");
        symlink(file(&folder, 0o600), &link).unwrap();
        for path in [link.as_path(), folder.path()] {
            assert!(Replacement::prepare(path, 10).unwrap_err().to_string().contains("a link, or no file"));
        }
        assert!(Replacement::prepare(&folder.path().join("missing"), 10).is_err());
    }
}
