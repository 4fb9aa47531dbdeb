//! Copying out of a bottle, from the session's side. The stream is the bottle's word: nothing in it is trusted.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use bottle::{BottleName, CopyError, GuestPath, TreePath, TreeSink};
use tokio::sync::mpsc;

use super::channel::Channel;
use crate::wire::FromExec;

/// How much of a file is handed on at once.
const CHUNK: usize = 1 << 17;
/// Steps that wait for the sink.
const QUEUE: usize = 16;

/// One step of the stream, in order.
enum Step {
    Folder(TreePath, u32),
    File(TreePath, u32, u64),
    Bytes(Vec<u8>),
    FileEnd,
    Link(TreePath, PathBuf),
    Broken(io::Error),
}

/// Reads the stream and feeds the sink.
pub async fn run(
    name: &BottleName,
    from: &GuestPath,
    channel: Channel,
    stream: OwnedFd,
    sink: &mut dyn TreeSink,
) -> Result<(), CopyError> {
    let (sender, mut steps) = mpsc::channel(QUEUE);
    let reader = tokio::task::spawn_blocking(move || {
        if let Err(error) = read(File::from(stream), &sender) {
            let _ = sender.blocking_send(Step::Broken(error));
        }
    });
    let mut broken = None;
    while let Some(step) = steps.recv().await {
        let taken = match step {
            Step::Folder(path, mode) => sink.folder(&path, mode),
            Step::File(path, mode, size) => sink.begin_file(&path, mode, size),
            Step::Bytes(bytes) => sink.write(&bytes),
            Step::FileEnd => sink.end_file(),
            Step::Link(path, target) => sink.link(&path, &target),
            Step::Broken(error) => {
                broken = Some(error);
                break;
            }
        };
        taken.map_err(|source| CopyError::Sink { bottle: name.to_string(), source })?;
    }
    let _ = reader.await;
    let guest = |reason: String| CopyError::Guest { bottle: name.to_string(), direction: "from", path: from.clone(), reason };
    match (broken, channel.receive().await) {
        (None, Ok(Some((FromExec::Done, _)))) => Ok(()),
        (_, Ok(Some((FromExec::Failed { reason, .. }, _)))) => Err(guest(reason)),
        (Some(error), _) => Err(guest(error.to_string())),
        (None, Ok(_)) => Err(CopyError::Gone { bottle: name.to_string() }),
        (None, Err(source)) => Err(CopyError::Io { bottle: name.to_string(), source }),
    }
}

fn read(stream: File, steps: &mpsc::Sender<Step>) -> io::Result<()> {
    let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
    let send = |step: Step| steps.blocking_send(step).map_err(|_| gone());
    let mut archive = tar::Archive::new(stream);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let (path, mode) = (below_member(&entry.path()?)?, entry.header().mode()? & 0o777);
        match entry.header().entry_type() {
            tar::EntryType::Directory => send(Step::Folder(path, mode))?,
            tar::EntryType::Symlink => {
                let target = entry.link_name()?.ok_or(io::ErrorKind::InvalidData)?.into_owned();
                send(Step::Link(path, target))?;
            }
            tar::EntryType::Regular => {
                send(Step::File(path, mode, entry.size()))?;
                loop {
                    let mut bytes = Vec::with_capacity(CHUNK);
                    if entry.by_ref().take(CHUNK as u64).read_to_end(&mut bytes)? == 0 {
                        break;
                    }
                    send(Step::Bytes(bytes))?;
                }
                send(Step::FileEnd)?;
            }
            other => return Err(io::Error::other(format!("unexpected kind of entry {other:?}"))),
        }
    }
    Ok(())
}

/// The path below the one member, `0`.
fn below_member(path: &Path) -> io::Result<TreePath> {
    let below = path.strip_prefix("0").map_err(|_| io::Error::other("unexpected entry"))?;
    TreePath::parse(below).map_err(io::Error::other)
}
