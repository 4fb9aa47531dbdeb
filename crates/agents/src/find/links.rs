use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use bottle::GuestPath;

use super::FindError;
use crate::GuestLink;

/// Linux follows this many links in one path (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// A path, followed to its end.
#[derive(Debug)]
pub(super) struct Followed {
    /// Where it leads: absolute, no link in it.
    pub end: PathBuf,
    /// Every link on the way, each at a path that itself has no link in it.
    pub links: Vec<GuestLink>,
}

/// Follows an absolute path part by part and notes every link, so that the same path can be made to lead to the same place
/// in a bottle.
pub(super) fn follow(path: &Path) -> Result<Followed, FindError> {
    let unreadable = |source| FindError::Unreadable { path: path.to_owned(), source };
    let mut links = Vec::new();
    let mut end = PathBuf::from("/");
    let mut rest = VecDeque::new();
    put_first(&mut rest, path);
    while let Some(part) = rest.pop_front() {
        if part == ".." {
            end.pop();
            continue;
        }
        end.push(&part);
        if !fs::symlink_metadata(&end).map_err(unreadable)?.is_symlink() {
            continue;
        }
        let target = fs::read_link(&end).map_err(unreadable)?;
        if links.len() == MOST_LINKS {
            return Err(unreadable(io::Error::other("too many symbolic links")));
        }
        let at = GuestPath::parse(&end).map_err(|error| unreadable(io::Error::other(error)))?;
        links.push(GuestLink { at, target: target.clone() });
        if target.is_absolute() {
            end = PathBuf::from("/")
        } else {
            end.pop();
        }
        put_first(&mut rest, &target);
    }
    Ok(Followed { end, links })
}

fn put_first(rest: &mut VecDeque<OsString>, path: &Path) {
    for part in path.components().rev() {
        match part {
            Component::Normal(part) => rest.push_front(part.to_owned()),
            Component::ParentDir => rest.push_front("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
}
