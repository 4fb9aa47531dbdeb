use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;

use super::{Stream, System, from_hex, to_hex, wrong};

pub(super) fn connect(system: &mut dyn System, address: &OsStr, text: &OsStr) -> io::Result<()> {
    let mut wire = system.connect(parse(address)?)?;
    wire.write_all(text.as_bytes())?;
    wire.finish()?;
    let mut answer = Vec::new();
    wire.as_mut().read_to_end(&mut answer)?;
    system.write(Stream::Stdout, &answer)
}

pub(super) fn ask(system: &mut dyn System, address: &OsStr, payload: &OsStr) -> io::Result<()> {
    let payload = payload.to_str().and_then(from_hex).ok_or_else(|| wrong("no hex digits"))?;
    let answer = system.ask(parse(address)?, &payload)?;
    system.write(Stream::Stdout, to_hex(&answer).as_bytes())
}

pub(super) fn parse(address: &OsStr) -> io::Result<SocketAddr> {
    address.to_str().and_then(|text| text.parse().ok()).ok_or_else(|| wrong("no address and port"))
}
