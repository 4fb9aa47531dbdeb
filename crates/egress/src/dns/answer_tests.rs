use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, RecordType};
use policy::{Account, Host, HostPattern, Origin, Route, Rule, Table};
use proptest::prelude::*;

use super::{Answer, answer};
use crate::dns::Names;

fn table() -> Table {
    let rule = |host| Rule {
        route: Route::to(HostPattern::parse(host).unwrap()),
        origin: Origin::Provider("test"),
        account: Account::Any,
    };
    Table::new(vec![rule("api.example.org"), rule("*.wild.example")]).unwrap()
}

fn query(name: &str, kind: RecordType) -> Message {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

fn ask(message: &Message) -> (Message, Answer) {
    let answer = answer(&message.to_vec().unwrap(), &table(), &Names::new());
    (Message::from_vec(&answer.bytes).unwrap(), answer)
}

#[test]
fn a_known_name_gets_its_address_and_its_spelling_back() {
    let (message, answer) = ask(&query("aPi.eXample.ORG.", RecordType::A));
    assert_eq!(answer.refused, None);
    assert_eq!((message.id, message.response_code, message.truncation), (7, ResponseCode::NoError, false));
    assert!(message.recursion_available && message.recursion_desired && !message.authoritative);
    assert!(message.queries[0].name().eq_case(&Name::from_ascii("aPi.eXample.ORG.").unwrap()));
    let [record] = &message.answers[..] else { panic!("{:?}", message.answers) };
    assert!(record.name.eq_case(&Name::from_ascii("aPi.eXample.ORG.").unwrap()));
    assert!(matches!(record.data, RData::A(a) if a.0.octets()[..2] == [198, 18]));
    assert!(record.ttl <= 60);
}

#[test]
fn the_same_name_keeps_its_address_in_every_spelling() {
    let names = Names::new();
    let ask = |name| answer(&query(name, RecordType::A).to_vec().unwrap(), &table(), &names).bytes;
    let address = |bytes: &[u8]| bytes[bytes.len() - 4..].to_vec();
    assert_eq!(address(&ask("api.example.org.")), address(&ask("API.example.org.")));
    assert_ne!(address(&ask("api.example.org.")), address(&ask("a.wild.example.")));
}

#[test]
fn other_types_of_a_known_name_are_empty() {
    for kind in
        [RecordType::AAAA, RecordType::HTTPS, RecordType::SVCB, RecordType::TXT, RecordType::MX, RecordType::Unknown(65_280)]
    {
        let (message, answer) = ask(&query("api.example.org.", kind));
        assert_eq!((message.response_code, message.answers.len()), (ResponseCode::NoError, 0), "{kind}");
        assert_eq!(answer.refused, None);
    }
}

#[test]
fn own_services_have_addresses() {
    for name in ["policy.bottle.internal.", "git.bottle.internal.", "MCP.bottle.internal."] {
        assert_eq!(ask(&query(name, RecordType::A)).0.answers.len(), 1, "{name}");
    }
    assert_eq!(ask(&query("other.bottle.internal.", RecordType::A)).0.response_code, ResponseCode::NXDomain);
}

#[test]
fn unknown_names_do_not_exist_and_are_recorded() {
    for (name, refused) in [
        ("evil.example.", "A evil.example"),
        ("example.org.", "A example.org"),
        ("wild.example.", "A wild.example"),
        ("api.example.org.evil.example.", "A api.example.org.evil.example"),
        ("127.0.0.1.", "A 127.0.0.1"),
        ("0x7f.1.", "A 0x7f.1"),
        ("localhost.", "A localhost"),
        (".", "A ."),
        ("1.0.18.198.in-addr.arpa.", "A 1.0.18.198.in-addr.arpa"),
    ] {
        let (message, answer) = ask(&query(name, RecordType::A));
        assert_eq!((message.response_code, message.answers.len()), (ResponseCode::NXDomain, 0), "{name}");
        assert_eq!(answer.refused.as_deref(), Some(refused));
    }
}

#[test]
fn a_label_that_holds_a_dot_is_not_two_labels() {
    for labels in [
        vec![&b"api.example"[..], b"org"],
        vec![b"api", b"example.org"],
        vec![b"x\0", b"wild", b"example"],
        vec![b"\xc3\xa9", b"wild", b"example"],
    ] {
        let mut message = query(".", RecordType::A);
        message.queries[0].name = Name::from_labels(labels).unwrap();
        assert_eq!(ask(&message).0.response_code, ResponseCode::NXDomain);
    }
}

#[test]
fn what_no_program_needs_is_refused_even_for_known_names() {
    for kind in [RecordType::ANY, RecordType::AXFR, RecordType::IXFR, RecordType::NULL] {
        let (message, answer) = ask(&query("api.example.org.", kind));
        assert_eq!(message.response_code, ResponseCode::Refused, "{kind}");
        assert_eq!(answer.refused, Some(format!("{kind} api.example.org")));
    }
    for class in [DNSClass::CH, DNSClass::HS, DNSClass::ANY, DNSClass::NONE] {
        let mut message = query("api.example.org.", RecordType::A);
        message.queries[0].query_class = class;
        assert_eq!(ask(&message).0.response_code, ResponseCode::Refused, "{class}");
    }
    for op in [OpCode::Update, OpCode::Notify, OpCode::Status] {
        let mut message = query("api.example.org.", RecordType::A);
        message.metadata.op_code = op;
        assert_eq!(ask(&message).0.response_code, ResponseCode::Refused, "{op}");
    }
}

#[test]
fn several_or_no_questions_are_malformed() {
    let mut two = query("api.example.org.", RecordType::A);
    two.add_query(Query::query(Name::from_ascii("evil.example.").unwrap(), RecordType::A));
    let none = Message::new(7, MessageType::Query, OpCode::Query);
    for message in [two, none] {
        let (message, answer) = ask(&message);
        assert_eq!((message.response_code, message.id), (ResponseCode::FormErr, 7));
        assert_eq!(answer.refused.as_deref(), Some("malformed query"));
    }
}

#[test]
fn an_answer_is_never_answered() {
    let mut message = query("api.example.org.", RecordType::A);
    message.metadata.message_type = MessageType::Response;
    let answer = answer(&message.to_vec().unwrap(), &table(), &Names::new());
    assert!(answer.bytes.is_empty() && answer.refused.is_some());
}

#[test]
fn edns_is_spoken_and_its_other_versions_refused() {
    let mut message = query("api.example.org.", RecordType::A);
    let mut edns = Edns::new();
    edns.set_max_payload(4096).set_version(0);
    message.set_edns(edns.clone());
    let (replied, _) = ask(&message);
    assert_eq!(
        (replied.response_code, replied.answers.len(), replied.edns.map(|edns| edns.max_payload())),
        (ResponseCode::NoError, 1, Some(1232))
    );
    edns.set_version(1);
    message.set_edns(edns);
    let (replied, _) = ask(&message);
    // 16 is BADVERS here and BADSIG in a signature (RFC 6891 §9).
    assert_eq!((u16::from(replied.response_code), replied.answers.len()), (16, 0));
}

#[test]
fn every_cut_of_a_query_is_malformed() {
    let whole = query("api.example.org.", RecordType::A).to_vec().unwrap();
    for length in 0..whole.len() {
        let answer = answer(&whole[..length], &table(), &Names::new());
        assert_eq!(answer.refused.as_deref(), Some("malformed query"), "{length}");
        assert_eq!(answer.bytes.is_empty(), length < 12, "{length}");
    }
    let long: Vec<u8> = whole.iter().copied().chain(std::iter::repeat_n(0, 5000)).collect();
    assert_eq!(answer(&long, &table(), &Names::new()).refused.as_deref(), Some("malformed query"));
}

proptest! {
    #[test]
    fn any_bytes_are_answered_shortly_and_never_with_an_address_unasked(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let answer = answer(&bytes, &table(), &Names::new());
        prop_assert!(answer.bytes.len() <= 512);
        if !answer.bytes.is_empty() {
            prop_assert_eq!(&answer.bytes[..2], &bytes[..2]);
            prop_assert!(answer.bytes[2] & 0x80 != 0);
            prop_assert!(answer.refused.is_some() || answer.bytes[3] & 0x0f == 0);
        }
    }

    #[test]
    fn a_changed_query_is_answered_too(at in 0_usize..33, byte in any::<u8>()) {
        let mut bytes = query("api.example.org.", RecordType::A).to_vec().unwrap();
        let length = bytes.len();
        bytes[at % length] = byte;
        let names = Names::new();
        let answer = answer(&bytes, &table(), &names);
        prop_assert!(answer.bytes.len() <= 512);
    }

    #[test]
    fn only_known_names_get_addresses(name in "[a-z0-9-]{1,12}(\\.[a-z0-9-]{1,12}){0,4}") {
        let Ok(host) = Host::parse(&name) else { return Ok(()) };
        let (message, answer) = ask(&query(&format!("{name}."), RecordType::A));
        prop_assert_eq!(message.answers.len() == 1, table().knows(&host));
        prop_assert_eq!(answer.refused.is_none(), table().knows(&host));
    }
}
