//! What stands in a bottle, and what a reader sees of a folder that is being replaced.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{Kind, Stream, System, Walked, wrong};

pub(super) fn walk(system: &mut dyn System, root: &Path) -> io::Result<()> {
    let mut ahead = vec![PathBuf::new()];
    while let Some(path) = ahead.pop() {
        let full = if path.as_os_str().is_empty() { root.to_owned() } else { root.join(&path) };
        let look = system.look(&full)?;
        let content = match look.kind {
            Kind::File => Walked::fingerprint(&system.read_file(&full)?),
            Kind::Link => system.read_link(&full)?.as_os_str().as_bytes().to_owned(),
            Kind::Folder => {
                ahead.extend(system.list(&full)?.into_iter().map(|name| path.join(name)));
                Vec::new()
            }
            Kind::Other => Vec::new(),
        };
        let walked = Walked { path, kind: look.kind, mode: look.mode, uid: look.uid, mtime: look.mtime, content };
        system.write(Stream::Stdout, walked.to_line().as_bytes())?;
    }
    Ok(())
}

pub(super) fn read(system: &mut dyn System, path: &Path) -> io::Result<()> {
    let content = system.read_file(path)?;
    system.write(Stream::Stdout, &content)
}

pub(super) fn write(system: &mut dyn System, path: &Path) -> io::Result<()> {
    let (mut content, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        match system.read(&mut buffer)? {
            0 => return system.write_file(path, &content),
            count => content.extend_from_slice(&buffer[..count]),
        }
    }
}

pub(super) fn chmod(system: &mut dyn System, mode: &OsStr, path: &Path) -> io::Result<()> {
    let mode = mode.to_str().and_then(|mode| u32::from_str_radix(mode, 8).ok()).ok_or_else(|| wrong("no octal mode"))?;
    system.set_mode(path, mode)
}

/// Prints what `/proc` shows, if there is one; processes that end meanwhile are passed over.
pub(super) fn command_lines(system: &mut dyn System) -> io::Result<()> {
    for name in system.list(Path::new("/proc")).unwrap_or_default() {
        if let Ok(line) = system.read_file(&Path::new("/proc").join(name).join("cmdline")) {
            system.write(Stream::Stdout, &line)?;
            system.write(Stream::Stdout, b"\n")?;
        }
    }
    Ok(())
}

/// Whether a folder that is watched may be away for a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gaps {
    None,
    Allowed,
}

/// Looks again and again at a folder whose files `first` and `last` hold the version of the whole. It must always be there, unless there
/// may be gaps; and when `first` is the same before and after, the folder was not replaced in between, so `last` must be there and of the
/// same version. Says `saw VERSION` for each new one; ends after version `end`, with status 1 if it saw half of something.
pub(super) fn watch(system: &mut dyn System, gaps: Gaps, path: &Path) -> io::Result<()> {
    let (first, last) = (path.join("first"), path.join("last"));
    let mut seen = Vec::new();
    loop {
        match (system.look(path), gaps) {
            (Ok(_), _) => {}
            (Err(error), Gaps::Allowed) if error.kind() == io::ErrorKind::NotFound => {}
            (Err(error), _) => return Err(wrong(&format!("the folder was away: {error}"))),
        }
        let before = system.read_file(&first).ok();
        let content = system.read_file(&last).ok();
        let after = system.read_file(&first).ok();
        let Some(version) = before.filter(|before| Some(before) == after.as_ref()) else { continue };
        if content.as_ref() != Some(&version) {
            return Err(wrong(&format!("first is {version:?}, last is {content:?}")));
        }
        if version != seen {
            system.write(Stream::Stdout, &[b"saw ", version.as_slice(), b"\n"].concat())?;
            if version == b"end" {
                return Ok(());
            }
            seen = version;
        }
    }
}
