use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::{HostPlace, PlaceError, open_below, open_part_by_part};

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY);

/// A folder `above/below`, and a look at it.
fn looked_at() -> (tempfile::TempDir, PathBuf, HostPlace) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    fs::create_dir_all(root.join("above/below")).unwrap();
    let place = HostPlace::look(root.join("above/below")).unwrap();
    (dir, root, place)
}

#[test]
fn links_in_the_path_are_followed_once() {
    let (_dir, root, place) = looked_at();
    symlink("above", root.join("link")).unwrap();
    let through = HostPlace::look(root.join("link/below")).unwrap();
    assert_eq!((through.path(), through.id()), (root.join("above/below").as_path(), place.id()));
    assert!(through.is_folder() && through == place);
    through.open(FOLDER).unwrap();
    // The link that the person named may go or change: what it led to is what was shown.
    fs::remove_file(root.join("link")).unwrap();
    through.open(FOLDER).unwrap();
}

#[test]
fn a_folder_above_that_was_swapped_for_a_link_is_refused() {
    let (_dir, root, place) = looked_at();
    fs::rename(root.join("above"), root.join("elsewhere")).unwrap();
    symlink("elsewhere", root.join("above")).unwrap();
    // The same folder even: who swapped it can swap it again.
    assert!(matches!(place.open(FOLDER), Err(PlaceError::Changed { .. })));
}

#[test]
fn what_was_put_in_its_place_is_refused() {
    let swaps: [fn(&Path); 3] =
        [|at| fs::create_dir(at).unwrap(), |at| symlink("/etc", at).unwrap(), |at| drop(fs::File::create(at).unwrap())];
    for swap in swaps {
        let (_dir, root, place) = looked_at();
        // Removed, not moved: its number would be free for the next one, were it not held.
        fs::remove_dir(root.join("above/below")).unwrap();
        swap(&root.join("above/below"));
        for flags in [FOLDER, OFlags::PATH] {
            let refused = place.open(flags).unwrap_err();
            assert!(matches!(refused, PlaceError::Changed { .. }), "{refused}");
        }
    }
}

#[test]
fn what_is_gone_is_not_there() {
    let (_dir, root, place) = looked_at();
    fs::remove_dir(root.join("above/below")).unwrap();
    let Err(PlaceError::Open { source, .. }) = place.open(FOLDER) else { panic!() };
    assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn both_ways_open_what_is_below_and_refuse_links() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("a/b")).unwrap();
    symlink("a", dir.path().join("link")).unwrap();
    let root = rustix::fs::open(dir.path(), FOLDER, Mode::empty()).unwrap();
    for flags in [FOLDER, OFlags::PATH] {
        for path in ["", "a", "a/b"] {
            assert!(open_below(root.as_fd(), Path::new(path), flags).is_ok(), "{path}");
            assert!(open_part_by_part(root.as_fd(), Path::new(path), flags).is_ok(), "{path}");
        }
        for path in ["link", "link/b", "..", "a/../..", "nothing"] {
            assert!(open_below(root.as_fd(), Path::new(path), flags).is_err(), "{path}");
            assert!(open_part_by_part(root.as_fd(), Path::new(path), flags).is_err(), "{path}");
        }
        assert_eq!(open_below(root.as_fd(), Path::new("link"), OFlags::PATH).unwrap_err(), Errno::LOOP);
    }
}
