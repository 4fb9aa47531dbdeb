use std::os::unix::fs::PermissionsExt as _;

use super::{Home, Liveness};
use crate::{CURRENT_VERSION, Identity, Metadata, ProcessStamp, SessionFolder, StoreError};

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

#[test]
fn a_session_whose_lock_cannot_be_looked_at_is_neither_dead_nor_removed() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    let session = home.create(identity("a-1")).unwrap();
    let path = session.path().to_owned();
    drop(session);
    std::fs::remove_file(path.join("lock")).unwrap();
    std::os::unix::fs::symlink("/dev/null", path.join("lock")).unwrap();
    assert_eq!(home.sessions().unwrap()[0].liveness, Liveness::Unknown);
    assert!(matches!(home.remove_dead(&identity("a-1")), Err(StoreError::Unclear { .. })));
    assert!(matches!(home.open_live(&identity("a-1")), Err(StoreError::Unclear { .. })));
    assert!(matches!(home.create(identity("a-1")), Err(StoreError::Taken { live: true, .. })));
    assert!(path.exists());
    std::fs::remove_file(path.join("lock")).unwrap();
    assert_eq!(home.sessions().unwrap()[0].liveness, Liveness::Dead);
    home.remove_dead(&identity("a-1")).unwrap();
}

#[test]
fn a_folder_that_is_being_made_is_waited_for_and_not_called_dead() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    drop(home.create(identity("a-1")).unwrap());
    let state = home.open_state().unwrap();
    let guard = home.guard(&state).unwrap();
    std::fs::remove_file(home.state_path(&identity("a-1")).join("lock")).unwrap();
    let looking = std::thread::spawn({
        let home = home.clone();
        move || home.sessions().unwrap()[0].liveness
    });
    // What the maker does under its guard; the other may look before or after, and sees the same.
    let lock = std::fs::File::create(home.state_path(&identity("a-1")).join("lock")).unwrap();
    lock.lock().unwrap();
    drop(guard);
    assert_eq!(looking.join().unwrap(), Liveness::Live);
}

#[test]
fn a_folder_whose_lock_cannot_be_made_is_not_left() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    let at = home.state_path(&identity("a-1"));
    let fails = |_: &_, _: &_, path: &std::path::Path| {
        std::fs::File::create(path.join("lock")).unwrap();
        Err(StoreError::Unknown { identity: "the reason".to_owned() })
    };
    let error = SessionFolder::make_locked_by(fails, home.open_state().unwrap(), at.clone(), identity("a-1")).unwrap_err();
    assert!(error.to_string().contains("the reason"));
    assert!(!at.exists());
    assert!(home.create(identity("a-1")).is_ok());
}

#[test]
fn the_home_is_made_closed_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/home");
    Home::new(&path).create(identity("a-1")).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o700);
}

#[test]
fn a_home_that_others_can_write_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::new(folder.path());
    std::fs::create_dir(folder.path().join("state")).unwrap();
    for mode in [0o777, 0o772, 0o707] {
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        for error in [home.create(identity("a-1")).unwrap_err(), home.sessions().unwrap_err()] {
            assert!(error.to_string().contains("chmod go-w"), "{error}");
        }
    }
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(home.create(identity("a-1")).is_ok());
}

/// Closing `/tmp` to others, or taking `/usr/local` from root, breaks the machine.
#[test]
fn nobody_is_told_to_change_a_folder_that_is_not_theirs() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o1777)).unwrap();
    let mut all = vec![folder.path().to_owned(), "/tmp".into(), "/var/tmp".into()];
    if !rustix::process::geteuid().is_root() {
        all.extend(["/", "/usr", "/usr/local", "/etc"].map(Into::into));
    }
    for path in all {
        let error = Home::new(&path).sessions().unwrap_err();
        let told = error.to_string();
        assert!(matches!(error, StoreError::Shared { .. }), "{told}");
        assert!(told.contains("BOT_BOTTLE_HOME") && !told.contains("chmod") && !told.contains("chown"), "{told}");
    }
}

#[test]
fn a_home_of_somebody_else_is_refused_with_what_to_do() {
    let me = rustix::process::geteuid().as_raw();
    let folder = tempfile::tempdir().unwrap();
    // Root gives its own away; anybody else takes one of root's.
    let path = if me == 0 { folder.path() } else { std::path::Path::new("/usr/local/bin") };
    if me == 0 {
        std::os::unix::fs::chown(path, Some(65_534), None).unwrap();
    }
    let error = Home::new(path).create(identity("a-1")).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }) && error.to_string().contains("chown"), "{error}");
}
