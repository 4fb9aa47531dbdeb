use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::FindError;

/// What a script's first line names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Interpreter {
    /// `#!/abs/olute`
    Path(PathBuf),
    /// `#!/usr/bin/env NAME`
    Name(OsString),
}

/// The interpreter of a script; `None` for any other program. Linux reads 256 bytes (`execve(2)`).
pub(super) fn of(program: &Path) -> Result<Option<Interpreter>, FindError> {
    let mut head = Vec::new();
    match File::open(program).and_then(|file| file.take(256).read_to_end(&mut head)) {
        Ok(_) => Ok(parse(&head)),
        // A program that may be run but not read is no script: the kernel could not read it either.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        Err(source) => Err(FindError::Unreadable { path: program.to_owned(), source }),
    }
}

fn parse(head: &[u8]) -> Option<Interpreter> {
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t' | b'\r')).filter(|word| !word.is_empty());
    let program = Path::new(OsStr::from_bytes(words.next()?));
    if program.file_name() != Some(OsStr::new("env")) {
        return program.is_absolute().then(|| Interpreter::Path(program.to_owned()));
    }
    // `env -S`, its other options and `NAME=value` come before the program.
    let name = words.find(|word| !word.starts_with(b"-") && !word.contains(&b'='))?;
    if name.starts_with(b"/") {
        return Some(Interpreter::Path(PathBuf::from(OsString::from_vec(name.to_vec()))));
    }
    Some(Interpreter::Name(OsString::from_vec(name.to_vec())))
}

#[cfg(test)]
mod tests {
    use super::{Interpreter, parse};

    #[test]
    fn reads_first_lines_as_the_kernel_and_env_do() {
        let name = |name: &str| Some(Interpreter::Name(name.into()));
        let path = |path: &str| Some(Interpreter::Path(path.into()));
        assert_eq!(parse(b"#!/usr/bin/env node\nx"), name("node"));
        assert_eq!(parse(b"#! /usr/bin/env -S node --flag\n"), name("node"));
        assert_eq!(parse(b"#!/usr/bin/env A=b python3\r\n"), name("python3"));
        assert_eq!(parse(b"#!/home/u/v/bin/python -I\n"), path("/home/u/v/bin/python"));
        assert_eq!(parse(b"#!/usr/bin/env /opt/x/node\n"), path("/opt/x/node"));
        assert_eq!(parse(b"#!node\n"), None);
        assert_eq!(parse(b"#!"), None);
        assert_eq!(parse(b"\x7fELF"), None);
    }
}
