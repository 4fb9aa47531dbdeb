//! A host folder that changes while it is read, and one that holds traps.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{fifo, host, write};
use crate::tree::{Tree, TreeError, TreePath, Uncopyable};

/// Does something to the host folder once the first bytes of the stream come out: then the folder has been listed, and the
/// large file in it is open.
struct Meanwhile<F: FnMut()> {
    act: Option<F>,
    taken: u64,
}

impl<F: FnMut()> Write for Meanwhile<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(mut act) = self.act.take() {
            act();
        }
        self.taken += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn pack_while(dir: &Path, act: impl FnMut()) -> Result<(), TreeError> {
    write(dir.join("a large"), vec![7; 2_000_000]);
    write(dir.join("b"), "plain");
    fs::create_dir_all(dir.join("folder/below")).unwrap();
    let mut out = Meanwhile { act: Some(act), taken: 0 };
    let answer = Tree::host(dir).pack(&mut out).map(drop);
    assert!(out.act.is_none(), "the folder must have been changed during the copy");
    answer
}

#[test]
fn a_tree_at_rest_is_no_change() {
    let dir = tempfile::tempdir().unwrap();
    pack_while(dir.path(), || {}).unwrap();
}

#[test]
fn a_file_swapped_for_a_link_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let b = dir.path().join("b");
    let error = pack_while(dir.path(), || {
        fs::remove_file(&b).unwrap();
        symlink("/etc/passwd", &b).unwrap();
    })
    .unwrap_err();
    assert!(matches!(&error, TreeError::Changed { path } if *path == b), "{error}");
}

#[test]
fn a_file_swapped_for_a_fifo_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let b = dir.path().join("b");
    let error = pack_while(dir.path(), || {
        fs::remove_file(&b).unwrap();
        fifo(&b);
    })
    .unwrap_err();
    assert!(matches!(&error, TreeError::Changed { path } if *path == b), "{error}");
}

#[test]
fn a_folder_swapped_for_a_link_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("folder");
    let error = pack_while(dir.path(), || {
        fs::remove_dir_all(&folder).unwrap();
        symlink("/etc", &folder).unwrap();
    })
    .unwrap_err();
    assert!(matches!(&error, TreeError::Changed { path } if *path == folder), "{error}");
}

#[test]
fn what_disappears_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let b = dir.path().join("b");
    let error = pack_while(dir.path(), || fs::remove_file(&b).unwrap()).unwrap_err();
    assert!(matches!(&error, TreeError::Missing { path, vanished: true } if *path == b), "{error}");
    let error = Tree::host(dir.path().join("never")).scan().unwrap_err();
    assert!(matches!(&error, TreeError::Missing { vanished: false, .. }), "{error}");
}

#[test]
fn a_file_that_shrinks_or_grows_is_never_padded() {
    for size in [0, 300_000, 1_999_999, 2_000_001, 9_000_000] {
        let dir = tempfile::tempdir().unwrap();
        let large = dir.path().join("a large");
        let error = pack_while(dir.path(), || fs::File::options().write(true).open(&large).unwrap().set_len(size).unwrap());
        let error = error.unwrap_err();
        assert!(matches!(&error, TreeError::Changed { path } if *path == large), "{size}: {error}");
    }
}

#[test]
fn fifos_sockets_and_devices_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    fifo(&dir.path().join("pipe"));
    let _socket;
    let other = tempfile::tempdir().unwrap();
    _socket = std::os::unix::net::UnixListener::bind(other.path().join("sock")).unwrap();
    for (tree, expected) in [
        (Tree::host(dir.path()), "FIFO"),
        (Tree::host(dir.path().join("pipe")), "FIFO"),
        (Tree::host(other.path()), "socket"),
        (Tree::host("/dev/null"), "device"),
    ] {
        for error in [tree.scan().unwrap_err(), tree.pack(&mut Vec::new()).unwrap_err()] {
            assert!(matches!(&error, TreeError::Special { kind, .. } if *kind == expected), "{error}");
        }
    }
    for folder in [dir.path(), other.path()] {
        let source = host(folder, Uncopyable::LeaveOut, &[]);
        let census = Tree::new().with(TreePath::root(), source).pack(&mut io::sink()).unwrap();
        assert_eq!((census.left_out.count, census.files), (1, 0));
    }
}

#[test]
fn a_receiver_that_has_had_enough_ends_a_sparse_terabyte() {
    struct Enough(u64);
    impl Write for Enough {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len() as u64).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let sparse = dir.path().join("sparse");
    fs::File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(Tree::host(&sparse).scan().unwrap().bytes, 1 << 40);
    let error = Tree::host(&sparse).pack(&mut Enough(1_000_000)).unwrap_err();
    assert!(matches!(&error, TreeError::Stream(cause) if cause.kind() == io::ErrorKind::StorageFull), "{error}");
}

#[test]
fn errors_show_names_with_control_characters_escaped() {
    let dir = tempfile::tempdir().unwrap();
    fifo(&dir.path().join("\x1b]0;owned\x07"));
    let shown = Tree::host(dir.path()).scan().unwrap_err().to_string();
    assert!(shown.contains("\\u{1b}]0;owned\\u{7} is a FIFO"), "{shown}");
}

#[test]
fn a_file_closed_to_the_reader_is_found_by_the_scan() {
    if rustix::process::geteuid().is_root() {
        return; // Root may read everything: nothing is closed.
    }
    let dir = tempfile::tempdir().unwrap();
    write(dir.path().join("closed"), "x");
    fs::set_permissions(dir.path().join("closed"), std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    assert!(matches!(Tree::host(dir.path()).scan().unwrap_err(), TreeError::Read { .. }));
}

#[test]
fn depth_costs_no_descriptors() {
    let dir = tempfile::tempdir().unwrap();
    let deep = (0..1900).fold(dir.path().to_owned(), |path, _| path.join("d"));
    fs::create_dir_all(deep).unwrap();
    assert_eq!(Tree::host(dir.path()).scan().unwrap().folders, 1901);
}
