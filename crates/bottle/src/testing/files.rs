use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustix::io::Errno;

use super::locked;
use super::programs::{Programs, program_file};
use crate::{GuestPath, User};

/// Most links on one way (`path_resolution(7)`).
const MAX_LINKS: usize = 40;

/// The files of a fake bottle: a tree whose old states stay whole for whoever still reads them.
///
/// Paths may be relative to a folder. Permission bits are held to as for a user without capabilities: the owner's for the
/// owner, the others' for everybody else, root included.
#[derive(Debug)]
pub struct FakeFiles(Mutex<Arc<Node>>);

/// What stands somewhere; links are not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeStat {
    /// What it is.
    pub kind: FakeKind,
    /// Permission bits.
    pub mode: u32,
    /// Whose it is.
    pub owner: User,
    /// Bytes of a file or of a link's target.
    pub size: u64,
    /// Time of modification, in seconds since 1970.
    pub mtime: u64,
}

/// Kinds of things in a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FakeKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A FIFO, which cannot be opened here.
    Fifo,
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) content: Content,
    pub(super) mode: u32,
    pub(super) owner: User,
    pub(super) mtime: u64,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    File(Arc<Vec<u8>>),
    Folder(BTreeMap<OsString, Arc<Node>>),
    Link(PathBuf),
    Fifo,
}

impl FakeFiles {
    pub(super) fn of_a_fresh_bottle(programs: &Programs) -> Self {
        let mut root = Node::folder(0o755, User::Root);
        for (path, mode, owner) in [
            ("etc", 0o755, User::Root),
            ("home", 0o755, User::Root),
            ("home/node", 0o755, User::Node),
            ("opt", 0o755, User::Root),
            ("root", 0o700, User::Root),
            ("tmp", 0o777, User::Root),
            ("usr", 0o755, User::Root),
            ("usr/bin", 0o755, User::Root),
            ("usr/local", 0o755, User::Root),
            ("usr/local/bin", 0o755, User::Root),
            ("var", 0o755, User::Root),
        ] {
            root.put(path, Node::folder(mode, owner));
        }
        root.put("etc/resolv.conf", Node::file("nameserver 198.18.0.1\n", 0o644, User::Root));
        for name in programs.names() {
            root.put(&format!("usr/bin/{name}"), Node::file(program_file(name), 0o755, User::Root));
        }
        Self(Mutex::new(Arc::new(root)))
    }

    /// The state of this moment.
    pub(super) fn snapshot(&self) -> Arc<Node> {
        locked(&self.0).clone()
    }

    /// Changes everything or, when `change` fails, nothing; nobody sees a state between.
    pub(super) fn change<T, E>(&self, change: impl FnOnce(&mut Node) -> Result<T, E>) -> Result<T, E> {
        let mut root = locked(&self.0);
        let mut next = root.clone();
        let answer = change(Arc::make_mut(&mut next))?;
        *root = next;
        Ok(answer)
    }

    /// What stands at `path`.
    ///
    /// # Errors
    /// As the kernel's.
    pub fn look(&self, user: User, folder: &GuestPath, path: &Path) -> io::Result<FakeStat> {
        let root = self.snapshot();
        let node = root.at(&root.resolve(user, folder, path, false)?).ok_or(Errno::NOENT)?;
        let (kind, size) = match &node.content {
            Content::File(bytes) => (FakeKind::File, bytes.len()),
            Content::Folder(_) => (FakeKind::Folder, 0),
            Content::Link(target) => (FakeKind::Link, target.as_os_str().len()),
            Content::Fifo => (FakeKind::Fifo, 0),
        };
        Ok(FakeStat { kind, mode: node.mode, owner: node.owner, size: size as u64, mtime: node.mtime })
    }

    /// Reads a file, through links.
    ///
    /// # Errors
    /// As the kernel's.
    pub fn read(&self, user: User, folder: &GuestPath, path: &Path) -> io::Result<Arc<Vec<u8>>> {
        let root = self.snapshot();
        let node = root.at(&root.resolve(user, folder, path, true)?).ok_or(Errno::NOENT)?;
        node.allows(user, 0o4)?;
        match &node.content {
            Content::File(bytes) => Ok(bytes.clone()),
            Content::Folder(_) => Err(Errno::ISDIR.into()),
            Content::Link(_) | Content::Fifo => Err(Errno::NXIO.into()),
        }
    }

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// As the kernel's.
    pub fn list(&self, user: User, folder: &GuestPath, path: &Path) -> io::Result<Vec<OsString>> {
        let root = self.snapshot();
        let node = root.at(&root.resolve(user, folder, path, true)?).ok_or(Errno::NOENT)?;
        node.allows(user, 0o4)?;
        match &node.content {
            Content::Folder(names) => Ok(names.keys().cloned().collect()),
            Content::File(_) | Content::Link(_) | Content::Fifo => Err(Errno::NOTDIR.into()),
        }
    }

    /// The target of a link.
    ///
    /// # Errors
    /// As the kernel's.
    pub fn read_link(&self, user: User, folder: &GuestPath, path: &Path) -> io::Result<PathBuf> {
        let root = self.snapshot();
        match root.at(&root.resolve(user, folder, path, false)?).map(|node| &node.content) {
            Some(Content::Link(target)) => Ok(target.clone()),
            Some(Content::File(_) | Content::Folder(_) | Content::Fifo) => Err(Errno::INVAL.into()),
            None => Err(Errno::NOENT.into()),
        }
    }

    /// Writes a file whole, making it (0644) if it is not there.
    ///
    /// # Errors
    /// As the kernel's.
    pub fn write(&self, user: User, folder: &GuestPath, path: &Path, content: &[u8]) -> io::Result<()> {
        self.change(|root| {
            let at = root.resolve(user, folder, path, true)?;
            match root.at_mut(&at) {
                Some(node) => {
                    node.allows(user, 0o2)?;
                    match &mut node.content {
                        Content::File(bytes) => *bytes = Arc::new(content.to_owned()),
                        Content::Folder(_) => return Err(Errno::ISDIR.into()),
                        Content::Link(_) | Content::Fifo => return Err(Errno::NXIO.into()),
                    }
                    Ok(())
                }
                None => root.make(user, &at, Node::file(content, 0o644, user)),
            }
        })
    }

    /// Makes a folder (0755).
    ///
    /// # Errors
    /// As the kernel's.
    pub fn make_folder(&self, user: User, folder: &GuestPath, path: &Path) -> io::Result<()> {
        self.make(user, folder, path, Node::folder(0o755, user))
    }

    /// Makes a folder and those above it; one that is there is left as it is.
    ///
    /// # Errors
    /// As the kernel's.
    pub fn make_folders(&self, user: User, folder: &GuestPath, path: &Path) -> io::Result<()> {
        let mut so_far = PathBuf::new();
        for part in path.components() {
            so_far.push(part);
            match self.make_folder(user, folder, &so_far) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Makes a link; an old one in its place gives way if `replace`.
    ///
    /// # Errors
    /// As the kernel's.
    pub fn make_link(&self, user: User, folder: &GuestPath, target: &Path, path: &Path, replace: bool) -> io::Result<()> {
        self.change(|root| {
            let at = root.resolve(user, folder, path, false)?;
            if let (true, Some(Content::Link(_) | Content::File(_))) = (replace, root.at(&at).map(|node| &node.content)) {
                root.remove(user, &at)?;
            }
            root.make(user, &at, Node { content: Content::Link(target.to_owned()), mode: 0o777, owner: user, mtime: 0 })
        })
    }

    /// Makes a FIFO.
    ///
    /// # Errors
    /// As the kernel's.
    pub fn make_fifo(&self, user: User, folder: &GuestPath, path: &Path) -> io::Result<()> {
        self.make(user, folder, path, Node { content: Content::Fifo, mode: 0o600, owner: user, mtime: 0 })
    }

    /// Sets the permission bits of one's own file or folder.
    ///
    /// # Errors
    /// As the kernel's.
    pub fn set_mode(&self, user: User, folder: &GuestPath, path: &Path, mode: u32) -> io::Result<()> {
        self.change(|root| {
            let at = root.resolve(user, folder, path, true)?;
            let node = root.at_mut(&at).ok_or(Errno::NOENT)?;
            if node.owner != user {
                return Err(Errno::PERM.into());
            }
            node.mode = mode;
            Ok(())
        })
    }

    fn make(&self, user: User, folder: &GuestPath, path: &Path, node: Node) -> io::Result<()> {
        self.change(|root| {
            let at = root.resolve(user, folder, path, false)?;
            root.make(user, &at, node)
        })
    }
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

    fn put(&mut self, path: &str, node: Self) {
        let mut parts: Vec<OsString> = path.split('/').map(OsString::from).collect();
        if let (Some(name), Some(folder)) = (parts.pop(), self.at_mut(&parts)) {
            folder.insert(name, node);
        }
    }

    fn make(&mut self, user: User, at: &[OsString], node: Self) -> io::Result<()> {
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

    fn remove(&mut self, user: User, at: &[OsString]) -> io::Result<()> {
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
        let mut behind: Vec<OsString> = Vec::new();
        let mut links = 0;
        while let Some(name) = ahead.pop_front() {
            if name == ".." {
                behind.pop();
                continue;
            }
            let folder = self.at(&behind).ok_or(Errno::NOENT)?;
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
                Some(Content::Link(_) | Content::File(_) | Content::Folder(_) | Content::Fifo) | None => behind.push(name),
            }
        }
        Ok(behind)
    }
}

fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    })
}
