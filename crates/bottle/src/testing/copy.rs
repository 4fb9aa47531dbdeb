use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::node::{Content, Node};
use super::world::World;
use crate::tree::{Member, TreeError};
use crate::{CopyError, GuestPath, Tree, TreePath, TreeSink, User};

/// Copies `tree` in: the whole stream is unpacked first, then everything is put in place at once.
pub(super) fn copy_in(world: &World, tree: &Tree, into: &GuestPath, owner: User) -> Result<(), CopyError> {
    let bottle = world.name.to_string();
    let (packed, unpacked) = through_a_pipe(tree, owner).map_err(|source| CopyError::Io { bottle: bottle.clone(), source })?;
    if let Err(source) = packed {
        return Err(CopyError::Source { bottle, source });
    }
    let nodes = unpacked.map_err(|source| CopyError::Io { bottle: bottle.clone(), source })?;
    world.files.change(|root| {
        for (member, node) in tree.members().iter().zip(nodes) {
            let place = place_of(member, into);
            let refused = |path, reason: &str| CopyError::Guest {
                bottle: bottle.clone(),
                direction: "to",
                path,
                reason: reason.to_owned(),
            };
            let place = place.map_err(|reason| refused(into.clone(), reason))?;
            put_in_place(root, &place, node, owner).map_err(|reason| refused(place, reason))?;
        }
        Ok(())
    })
}

fn place_of(member: &Member, into: &GuestPath) -> Result<GuestPath, &'static str> {
    into.join(member.at.as_path()).map_err(|error| error.reason)
}

fn put_in_place(root: &mut Node, place: &GuestPath, node: Node, owner: User) -> Result<(), &'static str> {
    let mut names = names_of(place);
    let Some(last) = names.pop() else { return Err("the root of the bottle cannot be replaced") };
    let mut folder = root;
    for name in names {
        let Content::Folder(entries) = &mut folder.content else { return Err("something on the way to it is no folder") };
        let next = entries.entry(name).or_insert_with(|| Arc::new(Node::folder(0o755, owner)));
        match &next.content {
            // The agent may have planted it to have a file written elsewhere.
            Content::Link(_) => return Err("a symbolic link is on the way to it"),
            Content::Folder(_) | Content::File(_) | Content::Fifo => folder = Arc::make_mut(next),
        }
    }
    match &folder.content {
        Content::Folder(_) => folder.insert(last, node),
        Content::File(_) | Content::Link(_) | Content::Fifo => return Err("something on the way to it is no folder"),
    }
    Ok(())
}

fn names_of(path: &GuestPath) -> Vec<OsString> {
    path.as_path().iter().skip(1).map(ToOwned::to_owned).collect()
}

/// Packs and unpacks at the same time.
#[expect(clippy::type_complexity, reason = "two results that the caller ranks")]
fn through_a_pipe(tree: &Tree, owner: User) -> io::Result<(Result<(), TreeError>, io::Result<Vec<Node>>)> {
    let (read, mut write) = io::pipe()?;
    std::thread::scope(|scope| {
        let packing = scope.spawn(move || tree.pack(&mut write).map(drop));
        let unpacked = unpack(read, owner);
        let packed = packing.join().map_err(|_panic| io::Error::other("packing panicked"))?;
        Ok((packed, unpacked))
    })
}

fn unpack(stream: impl Read, owner: User) -> io::Result<Vec<Node>> {
    let mut archive = tar::Archive::new(stream);
    let mut members: Vec<Node> = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let mode = entry.header().mode()?;
        let mtime = entry.header().mtime()?;
        let content = match entry.header().entry_type() {
            tar::EntryType::Directory => Content::Folder(std::collections::BTreeMap::new()),
            tar::EntryType::Symlink => {
                Content::Link(entry.link_name_bytes().map(|bytes| PathBuf::from(OsStr::from_bytes(&bytes))).unwrap_or_default())
            }
            _file => {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes)?;
                Content::File(Arc::new(bytes))
            }
        };
        let path = entry.path_bytes().into_owned();
        place_entry(&mut members, Path::new(OsStr::from_bytes(&path)), Node { content, mode, owner, mtime })?;
    }
    Ok(members)
}

fn place_entry(members: &mut Vec<Node>, path: &Path, node: Node) -> io::Result<()> {
    let mut names: Vec<OsString> = path.iter().map(ToOwned::to_owned).collect();
    match names.pop() {
        Some(_number) if names.is_empty() => members.push(node),
        Some(name) => {
            let folder = members.last_mut().and_then(|member| member.at_mut(&names[1..]));
            folder.ok_or_else(|| io::Error::other("an entry before its folder"))?.insert(name, node);
        }
        None => return Err(io::Error::other("an entry without a name")),
    }
    Ok(())
}

/// Hands what stands at `from` to `sink`, parents first.
pub(super) fn copy_out(world: &World, from: &GuestPath, sink: &mut dyn TreeSink) -> Result<(), CopyError> {
    let root = world.files.snapshot();
    let bottle = world.name.to_string();
    let guest = |path: GuestPath, reason: String| CopyError::Guest { bottle: bottle.clone(), direction: "from", path, reason };
    let names = root.resolve(User::Root, &from.parent().unwrap_or_else(|| from.clone()), from.as_path(), false);
    let names = names.map_err(|error| guest(from.clone(), error.to_string()))?;
    let node = root.at(&names).ok_or_else(|| guest(from.clone(), "there is nothing".to_owned()))?;
    hand_over(node, &PathBuf::new(), sink).map_err(|source| CopyError::Sink { bottle: bottle.clone(), source })
}

fn hand_over(node: &Node, at: &Path, sink: &mut dyn TreeSink) -> Result<(), crate::tree::SinkError> {
    let path = TreePath::parse(at).map_err(|error| crate::tree::SinkError::new(at, error.reason))?;
    match &node.content {
        Content::Folder(names) => {
            sink.folder(&path, node.mode)?;
            names.iter().try_for_each(|(name, node)| hand_over(node, &at.join(name), sink))
        }
        Content::File(bytes) => {
            sink.begin_file(&path, node.mode, bytes.len() as u64)?;
            bytes.chunks(64 * 1024).try_for_each(|chunk| sink.write(chunk))?;
            sink.end_file()
        }
        Content::Link(target) => sink.link(&path, target),
        Content::Fifo => Ok(()),
    }
}
