//! The resolver inside a bottle. Any message has an answer or deserves none; what is answered with an address is a name that
//! policy knows.
#![no_main]

use std::sync::LazyLock;

use egress::dns::{Names, answer};
use libfuzzer_sys::fuzz_target;
use policy::{Account, HostPattern, Origin, Route, Rule, Table};

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let rule = |pattern| Rule {
        route: Route::to(HostPattern::parse(pattern).unwrap()),
        origin: Origin::Provider("fuzz"),
        account: Account::Any,
    };
    Table::new(vec![rule("api.example.org"), rule("*.example.com")]).unwrap()
});
static NAMES: LazyLock<Names> = LazyLock::new(Names::new);

fuzz_target!(|query: &[u8]| {
    let said = answer(query, &TABLE, &NAMES);
    let Some(head) = said.bytes.first_chunk::<12>() else {
        assert!(said.bytes.is_empty(), "an answer without a head");
        return;
    };
    assert_eq!(&head[..2], &query[..2], "another query's answer");
    assert_eq!(head[2] & 0x80, 0x80, "an answer that asks");
    assert!(said.bytes.len() <= 1232, "an answer too large for one datagram");
    let answers = u16::from_be_bytes([head[6], head[7]]);
    assert!(answers <= 1);
    if answers == 1 {
        assert_eq!(head[3] & 0xf, 0, "an address with an error");
        assert_eq!(said.refused, None);
        let address: [u8; 4] = address(&said.bytes);
        assert!(Names::in_range(address.into()), "an address of the world: {address:?}");
    }
});

/// The four bytes of the only answer: behind the question, a name, its type, class, TTL and length.
fn address(bytes: &[u8]) -> [u8; 4] {
    let mut at = after_name(bytes, 12) + 4;
    at = after_name(bytes, at);
    assert_eq!(&bytes[at..at + 4], &[0, 1, 0, 1], "something other than an A record");
    assert_eq!(&bytes[at + 8..at + 10], &[0, 4]);
    bytes[at + 10..at + 14].try_into().unwrap()
}

fn after_name(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes[at] {
            0 => return at + 1,
            pointer if pointer >= 0xc0 => return at + 2,
            length => at += usize::from(length) + 1,
        }
    }
}
