use std::os::unix::fs::PermissionsExt as _;

use super::{Home, Liveness};
use crate::{CURRENT_VERSION, Identity, Metadata, ProcessStamp, StoreError};

fn identity(name: &str) -> Identity {
    Identity::parse(name).unwrap()
}

fn metadata(name: &str) -> Metadata {
    Metadata {
        version: CURRENT_VERSION,
        identity: name.to_owned(),
        agent: "fixer".to_owned(),
        bottles: vec!["work".to_owned()],
        backend: "native".to_owned(),
        started_at: jiff::Timestamp::UNIX_EPOCH,
        cwd: None,
        label: None,
        process: ProcessStamp::current(),
    }
}

#[test]
fn a_session_is_live_while_its_folder_value_lives_and_dead_after() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path().join("not/there/yet"));
    assert!(home.sessions().unwrap().is_empty());
    let session = home.create(identity("a-1")).unwrap();
    session.write_metadata(&metadata("a-1")).unwrap();

    let listed = home.sessions().unwrap();
    assert_eq!((listed.len(), listed[0].liveness), (1, Liveness::Live));
    assert_eq!(listed[0].metadata.as_ref().unwrap(), &metadata("a-1"));
    assert!(matches!(home.remove_dead(&identity("a-1")), Err(StoreError::Taken { live: true, .. })));
    assert!(matches!(home.create(identity("a-1")), Err(StoreError::Taken { live: true, .. })));
    assert!(home.open_live(&identity("a-1")).is_ok());

    drop(session);
    assert_eq!(home.sessions().unwrap()[0].liveness, Liveness::Dead);
    assert!(matches!(home.open_live(&identity("a-1")), Err(StoreError::Dead { .. })));
    assert!(matches!(home.open_live(&identity("a-2")), Err(StoreError::Unknown { .. })));
    assert!(matches!(home.create(identity("a-1")), Err(StoreError::Taken { live: false, .. })));
    home.remove_dead(&identity("a-1")).unwrap();
    assert!(home.sessions().unwrap().is_empty());
}

#[test]
fn removing_takes_folders_below_but_follows_no_link() {
    let folder = tempfile::tempdir().unwrap();
    let keep = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    let session = home.create(identity("a-1")).unwrap();
    std::fs::create_dir_all(session.path().join("x/y")).unwrap();
    std::fs::File::create(keep.path().join("kept")).unwrap();
    std::os::unix::fs::symlink(keep.path(), session.path().join("x/link")).unwrap();
    let path = session.path().to_owned();
    session.remove().unwrap();
    assert!(!path.exists());
    assert!(keep.path().join("kept").exists());
}

#[test]
fn folders_and_files_are_closed_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    let session = home.create(identity("a-1")).unwrap();
    session.write_metadata(&metadata("a-1")).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(session.path()), 0o700);
    assert_eq!(mode(session.path().parent().unwrap()), 0o700);
    assert_eq!(mode(&session.path().join("metadata.json")), 0o600);
    assert_eq!(mode(&session.path().join("lock")), 0o600);
}

#[test]
fn a_planted_link_in_place_of_the_state_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("state")).unwrap();
    let home = Home::new(folder.path());
    assert!(matches!(home.create(identity("a-1")), Err(StoreError::Unsafe { .. })));
    assert!(matches!(home.sessions(), Err(StoreError::Unsafe { .. })));
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn a_broken_metadata_file_hides_no_other_session() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    let broken = home.create(identity("a-1")).unwrap();
    let whole = home.create(identity("b-1")).unwrap();
    whole.write_metadata(&metadata("b-1")).unwrap();
    rustix::fs::mknodat(broken.handle(), "metadata.json", rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    let listed = home.sessions().unwrap();
    assert!(listed[0].metadata.is_err() && listed[1].metadata.is_ok());
}
