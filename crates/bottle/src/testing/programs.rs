use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

use super::FakeProcess;

/// A program: what it does, and the status it ends with.
pub type FakeProgram = Arc<dyn Fn(&mut FakeProcess) -> u8 + Send + Sync>;

/// What a file must hold to be the program called `name`.
pub fn program_file(name: &str) -> Vec<u8> {
    [MAGIC, name.as_bytes(), b"\n"].concat()
}

const MAGIC: &[u8] = b"#!fake ";

/// The programs of a backend, by name.
#[derive(Clone)]
pub(super) struct Programs(BTreeMap<String, FakeProgram>);

impl Programs {
    /// What provisioning needs of a system: `true`, `mkdir`, `ln`.
    pub(super) fn new() -> Self {
        let mut programs = Self(BTreeMap::new());
        programs.add("true", Arc::new(|_| 0));
        programs.add("mkdir", Arc::new(mkdir));
        programs.add("ln", Arc::new(ln));
        programs
    }

    pub(super) fn add(&mut self, name: &str, program: FakeProgram) {
        self.0.insert(name.to_owned(), program);
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The program that a file with this content is.
    pub(super) fn in_file(&self, content: &[u8]) -> Option<FakeProgram> {
        let name = content.strip_prefix(MAGIC)?.split(|&byte| byte == b'\n').next()?;
        self.0.get(std::str::from_utf8(name).ok()?).cloned()
    }
}

/// `mkdir -p [--] FOLDER…`
fn mkdir(process: &mut FakeProcess) -> u8 {
    let (_, folders) = options(process);
    let made =
        folders.iter().try_for_each(|folder| process.files().make_folders(process.user, &process.folder, Path::new(folder)));
    answer(process, made)
}

/// `ln -sfn [-T] [--] TARGET LINK`
fn ln(process: &mut FakeProcess) -> u8 {
    let (_, names) = options(process);
    let made = match names.as_slice() {
        [target, link] => process.files().make_link(process.user, &process.folder, Path::new(target), Path::new(link), true),
        _ => Err(std::io::ErrorKind::InvalidInput.into()),
    };
    answer(process, made)
}

fn options(process: &FakeProcess) -> (Vec<OsString>, Vec<OsString>) {
    let named = process.argv.iter().skip(1).filter(|arg| *arg != OsStr::new("--"));
    named.cloned().partition(|arg| arg.as_encoded_bytes().starts_with(b"-"))
}

fn answer(process: &mut FakeProcess, answer: std::io::Result<()>) -> u8 {
    let Err(error) = answer else { return 0 };
    // Whoever reads no error message sees the status.
    let _unread = process.write_stderr(format!("{error}\n").as_bytes());
    1
}
