//! PROXY headers. Any bytes have an answer, more bytes never change one, and enough of them never leave it open.
#![no_main]

use bottle::proxy_header::{MAX, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [cut, bytes @ ..] = input else { return };
    let answer = parse(bytes);
    assert!(bytes.len() < MAX || answer != Ok(None));
    let early = parse(&bytes[..bytes.len() * usize::from(*cut) / 256]);
    assert!(early == Ok(None) || early == answer);
    if let Ok(Some(header)) = answer {
        assert!(header.length <= bytes.len() && header.length <= MAX);
        assert_eq!(header.destination.ip(), header.destination.ip().to_canonical());
    }
});
