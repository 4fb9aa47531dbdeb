use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use crate::{GuestPath, User};

/// Most links on one way (`path_resolution(7)`).
const MAX_LINKS: usize = 40;

/// What stands somewhere, with everything below it.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) content: Content,
    pub(super) mode: u32,
    pub(super) owner: User,
    pub(super) mtime: u64,
}

/// What it holds. A folder's entries are shared with older states until they change.
#[derive(Debug, Clone)]
pub(super) enum Content {
    File(Arc<Vec<u8>>),
    Folder(BTreeMap<OsString, Arc<Node>>),
    Link(PathBuf),
    Fifo,
}

impl Node {
    pub(super) fn folder(mode: u32, owner: User) -> Self {
        Self { content: Content::Folder(BTreeMap::new()), mode, owner, mtime: 0 }
    }

    pub(super) fn file(content: impl Into<Vec<u8>>, mode: u32, owner: User) -> Self {
        Self { content: Content::File(Arc::new(content.into())), mode, owner, mtime: 0 }
    }

    /// Whether `user` may do to it what `bits` (4 read, 2 write, 1 enter or run) say.
    pub(super) fn allows(&self, user: User, bits: u32) -> io::Result<()> {
        let granted = if self.owner == user { self.mode >> 6 } else { self.mode };
        if granted & bits == bits { Ok(()) } else { Err(Errno::ACCESS.into()) }
    }

    pub(super) fn at(&self, path: &[OsString]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.child(name))
    }

    fn child(&self, name: &OsStr) -> Option<&Self> {
        match &self.content {
            Content::Folder(names) => names.get(name).map(Arc::as_ref),
            Content::File(_) | Content::Link(_) | Content::Fifo => None,
        }
    }

    pub(super) fn at_mut(&mut self, path: &[OsString]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, name| match &mut node.content {
            Content::Folder(names) => names.get_mut(name).map(Arc::make_mut),
            Content::File(_) | Content::Link(_) | Content::Fifo => None,
        })
    }

    /// Puts `node` under `name` into this folder; nothing happens when this is none.
    pub(super) fn insert(&mut self, name: OsString, node: Self) {
        if let Content::Folder(names) = &mut self.content {
            names.insert(name, Arc::new(node));
        }
    }

    pub(super) fn put(&mut self, path: &str, node: Self) {
        let mut parts: Vec<OsString> = path.split('/').map(OsString::from).collect();
        if let (Some(name), Some(folder)) = (parts.pop(), self.at_mut(&parts)) {
            folder.insert(name, node);
        }
    }

    pub(super) fn make(&mut self, user: User, at: &[OsString], node: Self) -> io::Result<()> {
        let (name, folder) = at.split_last().ok_or(Errno::EXIST)?;
        let folder = self.at_mut(folder).ok_or(Errno::NOENT)?;
        match &mut folder.content {
            Content::Folder(names) if names.contains_key(name) => return Err(Errno::EXIST.into()),
            Content::Folder(_) => {}
            Content::File(_) | Content::Link(_) | Content::Fifo => return Err(Errno::NOTDIR.into()),
        }
        folder.allows(user, 0o3)?;
        folder.insert(name.clone(), node);
        Ok(())
    }

    pub(super) fn remove(&mut self, user: User, at: &[OsString]) -> io::Result<()> {
        let (name, folder) = at.split_last().ok_or(Errno::BUSY)?;
        let folder = self.at_mut(folder).ok_or(Errno::NOENT)?;
        folder.allows(user, 0o3)?;
        if let Content::Folder(names) = &mut folder.content {
            names.remove(name);
        }
        Ok(())
    }

    /// The names that lead to `path` without any link; the last one need not be there.
    pub(super) fn resolve(&self, user: User, from: &GuestPath, path: &Path, follow_last: bool) -> io::Result<Vec<OsString>> {
        if path == Path::new("") {
            return Err(Errno::NOENT.into());
        }
        let mut ahead: VecDeque<OsString> = parts(&from.as_path().join(path)).collect();
        // Each name with the folder it stands in.
        let mut behind: Vec<(&Self, OsString)> = Vec::new();
        let mut links = 0;
        while let Some(name) = ahead.pop_front() {
            if name == ".." {
                behind.pop();
                continue;
            }
            let folder = match behind.last() {
                None => self,
                Some((above, name)) => above.child(name).ok_or(Errno::NOENT)?,
            };
            if !matches!(folder.content, Content::Folder(_)) {
                return Err(Errno::NOTDIR.into());
            }
            folder.allows(user, 0o1)?;
            match folder.child(&name).map(|node| &node.content) {
                Some(Content::Link(target)) if follow_last || !ahead.is_empty() => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Errno::LOOP.into());
                    }
                    if target.is_absolute() {
                        behind.clear();
                    }
                    ahead = parts(target).chain(ahead).collect();
                }
                None if !ahead.is_empty() => return Err(Errno::NOENT.into()),
                Some(Content::Link(_) | Content::File(_) | Content::Folder(_) | Content::Fifo) | None => {
                    behind.push((folder, name))
                }
            }
        }
        Ok(behind.into_iter().map(|(_, name)| name).collect())
    }
}

fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    })
}
