use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::CredentialError;
use super::places::{ANYWHERE, PACKAGES};

/// Levels of folders that are looked at; those directly in a tool are the first.
pub(super) const DEEPEST: usize = 6;
/// Most names that are looked at in one tool.
pub(super) const MOST_ENTRIES: usize = 200_000;

/// What a look into a folder found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Looked {
    /// The first credential, the nearest to the top.
    pub credential: Option<PathBuf>,
    /// How many names were looked at: the cost.
    pub entries: usize,
}

/// Looks for credentials by name, level by level, without following links: where a link leads is not visible in the bottle.
///
/// It costs one open folder and its listing per folder, and nothing per file; folders of packages are not opened.
pub(super) fn look(root: &Path) -> Result<Looked, CredentialError> {
    look_at_most(MOST_ENTRIES, root)
}

/// As [`look`], with a bound of its own. A folder that is too large is refused: what was not looked at may hold anything.
pub(super) fn look_at_most(most: usize, root: &Path) -> Result<Looked, CredentialError> {
    let mut looked = Looked { credential: None, entries: 0 };
    let mut level = vec![root.to_owned()];
    for _ in 0..DEEPEST {
        let mut below = Vec::new();
        for folder in level {
            list(&folder, root, most, &mut looked, &mut below)?;
            if looked.credential.is_some() {
                return Ok(looked);
            }
        }
        level = below;
    }
    Ok(looked)
}

fn list(folder: &Path, root: &Path, most: usize, looked: &mut Looked, below: &mut Vec<PathBuf>) -> Result<(), CredentialError> {
    let unreadable = |source| CredentialError::Unreadable { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // What the person may not read, their agent may not read either; what is gone is seen by nobody.
        Err(error) if folder != root && is_closed_or_gone(&error) => return Ok(()),
        Err(error) => return Err(unreadable(error)),
    };
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        looked.entries += 1;
        if looked.entries > most {
            return Err(CredentialError::TooMany { path: root.to_owned() });
        }
        let name = entry.file_name();
        if is_credential(&name, folder.file_name()) {
            looked.credential = Some(entry.path());
            return Ok(());
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !holds_packages(&name) {
            below.push(entry.path());
        }
    }
    Ok(())
}

/// Whether something of that name in a folder of that name is a credential wherever it stands.
pub(super) fn is_credential(name: &OsStr, folder: Option<&OsStr>) -> bool {
    ANYWHERE.iter().any(|(above, known)| name == *known && above.is_none_or(|above| folder == Some(OsStr::new(above))))
}

/// Whether a folder of that name holds what package managers unpacked.
pub(super) fn holds_packages(name: &OsStr) -> bool {
    PACKAGES.iter().any(|known| name == *known)
}

fn is_closed_or_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound)
}
