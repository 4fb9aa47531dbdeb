use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustix::io::Errno;

use super::locked;
use super::node::{Content, Node};
use super::programs::{Programs, program_file};
use crate::{GuestPath, User};

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
