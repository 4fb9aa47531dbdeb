use proptest::prelude::*;

use super::{MAX, ProxyHeader, ProxyHeaderError, Transport, parse};

fn made(version_command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n".as_slice(), &[version_command, family], &length, rest].concat()
}

const V4: [u8; 12] = [10, 0, 0, 1, 198, 18, 0, 7, 0x9c, 0x40, 0x01, 0xbb];

fn v6(destination: [u8; 16]) -> Vec<u8> {
    [&[0; 15][..], &[1], &destination, &[0x9c, 0x40, 0, 80]].concat()
}

#[test]
fn says_who_and_where_to() {
    let expected = ProxyHeader {
        length: 28,
        transport: Transport::Stream,
        source: "10.0.0.1:40000".parse().unwrap(),
        destination: "198.18.0.7:443".parse().unwrap(),
    };
    assert_eq!(parse(&made(0x21, 0x11, &V4)), Ok(Some(expected)));
    let followed = [made(0x21, 0x12, &V4), b"\x16\x03\x01".to_vec()].concat();
    assert_eq!(parse(&followed), Ok(Some(ProxyHeader { transport: Transport::Datagram, ..expected })));
}

#[test]
fn passes_over_what_stands_behind_the_addresses() {
    let with_tlv = [&V4[..], &[0x04, 0, 1, 0]].concat();
    let header = parse(&made(0x21, 0x11, &with_tlv)).unwrap().unwrap();
    assert_eq!((header.length, header.destination.to_string().as_str()), (32, "198.18.0.7:443"));
}

#[test]
fn one_destination_has_one_spelling() {
    let mut mapped = [0; 16];
    mapped[10..].copy_from_slice(&[0xff, 0xff, 127, 0, 0, 1]);
    for (destination, shown) in [(mapped, "127.0.0.1:80"), ([0xfd; 16], "[fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd]:80")] {
        let header = parse(&made(0x21, 0x21, &v6(destination))).unwrap().unwrap();
        assert_eq!(header.destination.to_string(), shown);
    }
}

#[test]
fn nothing_without_a_destination_is_followed() {
    let long = vec![0; MAX - 15];
    for (bytes, error) in [
        (b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n".to_vec(), ProxyHeaderError::Signature),
        (b"\r\n\r\n\0\r\nQUIX".to_vec(), ProxyHeaderError::Signature),
        (made(0x11, 0x11, &V4), ProxyHeaderError::Version(1)),
        (made(0x20, 0x00, &[]), ProxyHeaderError::Command(0)),
        (made(0x22, 0x11, &V4), ProxyHeaderError::Command(2)),
        (made(0x21, 0x00, &[]), ProxyHeaderError::Family(0)),
        (made(0x21, 0x31, &[0; 216]), ProxyHeaderError::Family(0x31)),
        (made(0x21, 0x13, &V4), ProxyHeaderError::Family(0x13)),
        (made(0x21, 0x11, &V4[1..]), ProxyHeaderError::Length(11)),
        (made(0x21, 0x21, &V4), ProxyHeaderError::Length(12)),
        (made(0x21, 0x11, &long), ProxyHeaderError::Length(MAX - 15)),
    ] {
        assert_eq!(parse(&bytes), Err(error), "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn more_bytes_never_change_an_answer(
        family in prop_oneof![Just(0x11), Just(0x12), Just(0x21), Just(0x22), any::<u8>()],
        command in prop_oneof![Just(0x21), any::<u8>()],
        rest in prop::collection::vec(any::<u8>(), 0..80),
        cut in 0usize..100,
    ) {
        let bytes = made(command, family, &rest);
        let (early, late) = (parse(&bytes[..cut.min(bytes.len())]), parse(&bytes));
        prop_assert!(early == Ok(None) || early == late);
        prop_assert_ne!(late, Ok(None));
    }

    #[test]
    fn any_bytes_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let answer = parse(&bytes);
        prop_assert!(bytes.len() < MAX || answer != Ok(None));
        if let Ok(Some(header)) = answer {
            prop_assert!(header.length <= bytes.len());
        }
    }
}
