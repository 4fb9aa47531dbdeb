use std::io;

use super::{Event, Stream, System, to_hex};

pub(super) fn size(system: &mut dyn System) -> io::Result<()> {
    system.catch(Event::Resized)?;
    loop {
        let (rows, columns) = system.terminal_size()?;
        system.write(Stream::Stdout, format!("size {rows}x{columns}\n").as_bytes())?;
        system.next_event()?;
    }
}

pub(super) fn raw(system: &mut dyn System) -> io::Result<()> {
    system.set_raw(true)?;
    system.write(Stream::Stdout, b"raw\r\n")?;
    let mut buffer = [0; 256];
    loop {
        let count = system.read(&mut buffer)?;
        let typed = &buffer[..count];
        system.write(Stream::Stdout, format!("{}\r\n", to_hex(typed)).as_bytes())?;
        if count == 0 || typed.contains(&b'q') {
            return system.set_raw(false);
        }
    }
}
