//! The framing guard. Cut into whatever pieces, a request gets the same answer; and what passes holds none of the bytes that two
//! servers read in two ways.
#![no_main]

use egress::framing::{Bounds, Framing, Violation};
use libfuzzer_sys::fuzz_target;

const BOUNDS: Bounds = Bounds { bytes: 4096, fields: 16 };

fuzz_target!(|input: &[u8]| {
    let [step, bytes @ ..] = input else { return };
    let whole = fed(bytes.chunks(bytes.len().max(1)));
    assert_eq!(whole, fed(bytes.chunks(usize::from(*step).max(1))));
    if whole.is_ok() {
        clean(bytes);
    }
});

fn fed<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<(), Violation> {
    let mut framing = Framing::new(BOUNDS);
    for piece in pieces {
        framing.feed(piece)?;
    }
    Ok(())
}

/// The first head, looked at in the plainest way.
fn clean(bytes: &[u8]) {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return };
    let head = &bytes[..end + 2];
    for (at, byte) in head.iter().enumerate() {
        match byte {
            b'\n' => assert!(at > 0 && head[at - 1] == b'\r', "a bare LF passed"),
            b'\r' => assert_eq!(head.get(at + 1), Some(&b'\n'), "a bare CR passed"),
            0 => panic!("a NUL passed"),
            _ => {}
        }
    }
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let fields: Vec<_> = text.split("\r\n").skip(1).filter(|line| !line.is_empty()).collect();
    let named = |name: &str| fields.iter().filter(|line| line.split(':').next().is_some_and(|said| said.trim() == name)).count();
    assert!(!fields.iter().any(|line| line.starts_with([' ', '\t'])), "a folded line passed");
    assert!(named("content-length") + named("transfer-encoding") <= 1, "two framings passed");
    assert!(named("host") <= 1, "two hosts passed");
}
