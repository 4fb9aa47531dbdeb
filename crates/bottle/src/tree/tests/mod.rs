mod hostile;
mod packing;
mod sinks;

use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{HostSource, Source, Tree, TreeError, TreePath, Uncopyable};

/// One entry as any tar reader sees it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    name: Vec<u8>,
    kind: tar::EntryType,
    mode: u32,
    mtime: u64,
    content: Vec<u8>,
    target: Option<PathBuf>,
}

fn unpack(stream: &[u8]) -> Vec<Seen> {
    let mut archive = tar::Archive::new(stream);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        Seen {
            name: entry.path_bytes().into_owned(),
            kind: entry.header().entry_type(),
            mode: entry.header().mode().unwrap(),
            mtime: entry.header().mtime().unwrap(),
            target: entry.link_name().unwrap().map(|target| target.into_owned()),
            content,
        }
    });
    entries.collect()
}

fn packed(tree: &Tree) -> Result<Vec<Seen>, TreeError> {
    let mut stream = Vec::new();
    let census = tree.pack(&mut stream)?;
    assert_eq!(tree.scan().unwrap(), census, "scan and pack must agree on a tree at rest");
    assert_eq!(stream.len() % 512, 0);
    assert!(stream.ends_with(&[0; 1024]));
    Ok(unpack(&stream))
}

fn names(seen: &[Seen]) -> Vec<String> {
    seen.iter().map(|entry| String::from_utf8_lossy(&entry.name).into_owned()).collect()
}

fn host(path: &Path, uncopyable: Uncopyable, exclude: &[&str]) -> Source {
    let exclude = exclude.iter().map(|&name| name.to_owned()).collect();
    Source::Host { from: HostSource::Named(path.to_owned()), uncopyable, exclude }
}

fn at(path: impl AsRef<std::ffi::OsStr>) -> TreePath {
    TreePath::parse(std::ffi::OsStr::from_bytes(path.as_ref().as_bytes())).unwrap()
}

#[allow(clippy::disallowed_methods, reason = "a test's own files")]
fn write(path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
    std::fs::write(path, content).unwrap();
}

fn fifo(path: &Path) {
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o600), 0).unwrap();
}
