//! Processes that start others and hold: what a deadline, a kill and the end of a bottle must reach.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;

use super::network::parse;
use super::{Event, Start, Stream, System};

pub(super) fn hold(system: &mut dyn System) -> io::Result<()> {
    system.write(Stream::Stdout, b"ready\n")?;
    Err(system.hold())
}

pub(super) fn trap(system: &mut dyn System, signal: u8) -> io::Result<()> {
    system.catch(Event::Signal(signal))?;
    system.write(Stream::Stdout, b"ready\n")?;
    match system.next_event()? {
        Event::Signal(caught) => system.write(Stream::Stdout, format!("caught {caught}\n").as_bytes()),
        Event::Resized => Err(super::wrong("resized, not signalled")),
    }
}

pub(super) fn tree(system: &mut dyn System, address: &[OsString]) -> io::Result<()> {
    system.start(line("branch", address), Start::Child)?;
    daemon(system, address)?;
    announce(system, OsStr::new("main"), address)
}

pub(super) fn branch(system: &mut dyn System, address: &[OsString]) -> io::Result<()> {
    let leaf = [OsString::from("grandchild")].iter().chain(address).cloned().collect::<Vec<_>>();
    system.start(line("announce", &leaf), Start::Child)?;
    announce(system, OsStr::new("child"), address)
}

pub(super) fn daemon(system: &mut dyn System, address: &[OsString]) -> io::Result<()> {
    let name = [OsString::from("daemon")].iter().chain(address).cloned().collect::<Vec<_>>();
    system.start(line("announce", &name), Start::Daemon)
}

/// Says its name where somebody listens, and holds: that the connection or stream stays open proves that it lives.
pub(super) fn announce(system: &mut dyn System, name: &OsStr, address: &[OsString]) -> io::Result<()> {
    let said = [name.as_bytes(), b"\n"].concat();
    match address.first() {
        None => {
            system.write(Stream::Stdout, &said)?;
            Err(system.hold())
        }
        Some(address) => {
            let mut wire = system.connect(parse(address)?)?;
            wire.write_all(&said)?;
            let error = system.hold();
            drop(wire);
            Err(error)
        }
    }
}

fn line(verb: &str, rest: &[OsString]) -> Vec<OsString> {
    [OsString::from(verb)].iter().chain(rest).cloned().collect()
}
