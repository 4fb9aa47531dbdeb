use std::sync::Arc;

use proptest::prelude::*;
use rustls::pki_types::ServerName;

use super::{ClientHello, Hello, MAX, Malformed, client_hello};
use crate::trust::crypto;

/// The records that rustls begins with.
fn real(name: &'static str, alpn: &[&[u8]]) -> Vec<u8> {
    let config = rustls::ClientConfig::builder_with_provider(crypto()).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let mut client = rustls::ClientConnection::new(Arc::new(config), ServerName::try_from(name).unwrap()).unwrap();
    let mut records = Vec::new();
    client.write_tls(&mut records).unwrap();
    records
}

/// A ClientHello with these extensions, in records of at most `cut` bytes.
fn made(extensions: &[(u16, &[u8])], cut: usize) -> Vec<u8> {
    let vector = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let list: Vec<u8> =
        extensions.iter().flat_map(|(kind, content)| [&kind.to_be_bytes()[..], &vector(content)].concat()).collect();
    let body = [&[3, 3][..], &[7; 32], &[0], &[0, 2, 0x13, 0x01], &[1, 0], &vector(&list)].concat();
    let message = [&[1, 0][..], &u16::try_from(body.len()).unwrap().to_be_bytes(), &body].concat();
    message.chunks(cut).flat_map(|part| [&[22, 3, 1][..], &vector(part)].concat()).collect()
}

fn name(names: &[(u8, &[u8])]) -> Vec<u8> {
    let entries: Vec<u8> = names
        .iter()
        .flat_map(|(kind, name)| [&[*kind][..], &u16::try_from(name.len()).unwrap().to_be_bytes(), name].concat())
        .collect();
    [&u16::try_from(entries.len()).unwrap().to_be_bytes()[..], &entries].concat()
}

#[test]
fn reads_what_a_real_client_sends() {
    let hello = client_hello(&real("api.example.org", &[b"h2", b"http/1.1"]));
    let expected =
        ClientHello { name: Some("api.example.org".into()), alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()], encrypted: false };
    assert_eq!(hello, Hello::Whole(expected));
    assert_eq!(client_hello(&real("192.0.2.7", &[])), Hello::Whole(ClientHello::default()));
}

#[test]
fn is_undecided_until_it_is_whole_however_it_is_cut() {
    let name = name(&[(0, b"a.example")]);
    for cut in [1, 2, 5, 100] {
        let bytes = made(&[(0, &name), (0xfe0d, b"x")], cut);
        let last = bytes.len();
        assert!((0..last).all(|length| client_hello(&bytes[..length]) == Hello::Undecided), "{cut}");
        let Hello::Whole(hello) = client_hello(&bytes) else { panic!("{cut}") };
        assert_eq!((hello.name.as_deref(), hello.encrypted), (Some("a.example"), true));
    }
}

#[test]
fn names_that_two_readers_could_read_differently_are_malformed() {
    let twice = name(&[(0, b"good.example"), (0, b"evil.example")]);
    let one = name(&[(0, b"good.example")]);
    for (extensions, expected) in [
        (vec![(0, &twice[..])], Malformed::Name),
        (vec![(0, &name(&[(0, b"")])[..])], Malformed::Name),
        (vec![(0, &name(&[(0, b"good.example\0")])[..])], Malformed::Name),
        (vec![(0, &name(&[(0, "exаmple.org".as_bytes())])[..])], Malformed::Name),
        (vec![(0, &name(&[(1, b"good.example")])[..])], Malformed::Name),
        (vec![(0, &one[..]), (0, &one[..])], Malformed::Twice),
        (vec![(0, &[0, 9, 0][..])], Malformed::Framing),
    ] {
        assert_eq!(client_hello(&made(&extensions, 4096)), Hello::Malformed(expected));
    }
}

#[test]
fn what_never_ends_is_too_large() {
    let endless = [&[22, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff][..], &[0; 1 << 14]].concat();
    assert_eq!(client_hello(&endless), Hello::Malformed(Malformed::TooLarge));
    assert_eq!(client_hello(&[22, 3, 1, 0, 0]), Hello::Malformed(Malformed::Framing));
    assert_eq!(client_hello(&[22, 3, 1, 0, 1, 2]), Hello::Malformed(Malformed::Framing));
    assert_eq!(client_hello(&[21, 3]), Hello::Malformed(Malformed::Framing));
    let drip: Vec<u8> = [22, 3, 1, 0, 1, 1].into_iter().chain([22, 3, 1, 0, 1, 0].into_iter().cycle()).take(MAX).collect();
    assert_ne!(client_hello(&drip), Hello::Undecided);
}

proptest! {
    #[test]
    fn any_bytes_have_an_answer(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0usize..200, with: u8) {
        let _ = client_hello(&bytes);
        bytes.splice(..0, [22, 3, 1]);
        let _ = client_hello(&bytes);
        let mut changed = made(&[(0, &name(&[(0, b"a.example")])), (16, &[0, 3, 2, b'h', b'2'])], 50);
        let at = at % changed.len();
        changed[at] = with;
        let _ = client_hello(&changed);
    }
}
