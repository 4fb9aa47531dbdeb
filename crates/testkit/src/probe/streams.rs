use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;

use super::{Stream, System, pattern, to_hex};

pub(super) fn cat(system: &mut dyn System) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match system.read(&mut buffer)? {
            0 => return Ok(()),
            count => system.write(Stream::Stdout, &buffer[..count])?,
        }
    }
}

/// In turns, so that a receiver that empties one stream before the other would be stuck.
pub(super) fn emit(system: &mut dyn System, out: usize, err: usize) -> io::Result<()> {
    let (out, err) = (pattern(1, out), pattern(2, err));
    let (mut outs, mut errs) = (out.chunks(50_000), err.chunks(30_000));
    loop {
        match (outs.next(), errs.next()) {
            (None, None) => return Ok(()),
            (out, err) => {
                system.write(Stream::Stdout, out.unwrap_or_default())?;
                system.write(Stream::Stderr, err.unwrap_or_default())?;
            }
        }
    }
}

pub(super) fn args(system: &mut dyn System, args: &[OsString]) -> io::Result<()> {
    let lines: String = args.iter().map(|arg| to_hex(arg.as_bytes()) + "\n").collect();
    system.write(Stream::Stdout, lines.as_bytes())
}

pub(super) fn env(system: &mut dyn System) -> io::Result<()> {
    let entries = system.env();
    let all: Vec<u8> = entries.iter().flat_map(|(name, value)| [name.as_bytes(), b"=", value, b"\0"].concat()).collect();
    system.write(Stream::Stdout, &all)
}

pub(super) fn folder(system: &mut dyn System) -> io::Result<()> {
    let folder = system.folder()?;
    system.write(Stream::Stdout, folder.as_os_str().as_bytes())
}

pub(super) fn who(system: &mut dyn System) -> io::Result<()> {
    let (user, group) = system.ids();
    system.write(Stream::Stdout, format!("{user} {group}").as_bytes())
}
