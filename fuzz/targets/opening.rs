//! What a connection says first: TLS ClientHello, HTTP/1, HTTP/2 or neither. Any bytes have an answer, more bytes never change
//! one, and enough of them never leave it open.
#![no_main]

use egress::opening::{FirstBytes, Hello, client_hello, first_bytes};
use libfuzzer_sys::fuzz_target;

/// What `client_hello` promises to read at most.
const HELLO_MAX: usize = 32 * 1024;

fuzz_target!(|input: &[u8]| {
    let [cut, bytes @ ..] = input else { return };
    let early = &bytes[..bytes.len() * usize::from(*cut) / 256];

    let kind = first_bytes(early);
    assert!(kind == FirstBytes::Undecided || kind == first_bytes(bytes));
    assert!(bytes.len() < 34 || first_bytes(bytes) != FirstBytes::Undecided);

    let hello = client_hello(early);
    assert!(hello == Hello::Undecided || hello == client_hello(bytes));
    match client_hello(bytes) {
        Hello::Undecided => assert!(bytes.len() < HELLO_MAX),
        Hello::Whole(hello) => assert!(hello.name.is_none_or(|name| !name.is_empty() && name.is_ascii())),
        Hello::Malformed(_) => {}
    }
});
