use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use policy::TokenRef;
use secret::Secret;
use tempfile::TempDir;

use super::read;
use crate::CredentialError;

fn file(folder: &TempDir, content: &[u8], mode: u32) -> PathBuf {
    let path = folder.path().join("token");
    let _ = fs::remove_file(&path);
    fs::File::create(&path).unwrap().write_all(content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn look(path: &Path) -> Result<Secret, CredentialError> {
    read(&TokenRef::File(path.to_owned()), path)
}

#[test]
fn the_credential_is_what_the_file_holds() {
    let folder = TempDir::new().unwrap();
    for mode in [0o600, 0o400, 0o640] {
        assert_eq!(look(&file(&folder, b"tok-1\n", mode)), Ok(Secret::from("tok-1")));
    }
    let link = folder.path().join("link");
    symlink(file(&folder, b"tok-1\n", 0o600), &link).unwrap();
    assert_eq!(look(&link), Ok(Secret::from("tok-1")));
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_command_that_closes_it() {
    let folder = TempDir::new().unwrap();
    for mode in [0o644, 0o606, 0o604, 0o602] {
        let error = look(&file(&folder, b"canary-open", mode)).unwrap_err();
        assert!(error.message.ends_with("is open to every user of this machine"), "{error}");
        assert_eq!(error.hint, format!("close it: chmod 600 {}", folder.path().join("token").display()));
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[test]
fn what_is_no_credential_is_said_and_not_shown() {
    let folder = TempDir::new().unwrap();
    for (content, wrong) in [
        (&b"\n"[..], "is empty"),
        (b"canary\nX-Evil: canary", "more than one line"),
        (b"can\0ary", "NUL"),
        (&vec![b'a'; 70_000], "more than 64 KB"),
    ] {
        let error = look(&file(&folder, content, 0o600)).unwrap_err();
        assert!(error.message.contains(wrong) && !format!("{error:?}").contains("canary"), "{error:?}");
    }
    assert!(look(&folder.path().join("missing")).unwrap_err().message.ends_with("missing does not exist"));
    assert!(look(Path::new("token")).unwrap_err().message.contains("is not a full path"));
    assert!(look(folder.path()).unwrap_err().message.contains("is not a file"));
}

#[test]
fn a_fifo_holds_nobody_up() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("fifo");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert!(look(&path).unwrap_err().message.contains("is not a file"));
}
