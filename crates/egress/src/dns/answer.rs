use hickory_proto::op::{Edns, Header, Message, MessageType, Metadata, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{DNSClass, RData, Record, RecordType};
use hickory_proto::serialize::binary::{BinDecodable as _, BinDecoder};
use policy::Table;

use super::name::{Asked, shown};
use super::names::Names;

/// Longest query that is read, in bytes. A question needs at most 271; the rest is EDNS options.
pub const MESSAGE_MAX: usize = 4096;
/// How long a program may keep an address, in seconds. Short, so that a name that a reload takes away is gone soon.
const TTL: u32 = 30;
/// The largest datagram that is announced (DNS flag day 2020); no answer comes near it.
const PAYLOAD: u16 = 1232;

/// What the resolver says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The message to send back; empty: nothing is sent.
    pub bytes: Vec<u8>,
    /// What was asked, for the record, when it was refused: `A evil.example`. Not escaped.
    pub refused: Option<String>,
}

/// Answers one DNS message (RFC 1035 §4.1) from `table`. Pure but for the addresses that `names` gives, and total: any bytes
/// have an answer, or deserve none.
///
/// - A of a name that the table knows, or of one of the bottle's own services: the address that stands for it.
/// - Any other type of such a name: no data (so a program falls back to A, and learns of no HTTPS record with an ECH key).
/// - Any other name: NXDOMAIN, to be recorded.
/// - What no program in a bottle needs (ANY, transfers, NULL, updates, other classes): REFUSED, to be recorded.
pub fn answer(query: &[u8], table: &Table, names: &Names) -> Answer {
    let mut decoder = BinDecoder::new(query);
    let Ok(header) = Header::read(&mut decoder) else { return Answer { bytes: Vec::new(), refused: Some(MALFORMED.to_owned()) } };
    // Threat: two resolvers that are set to answer each other.
    if header.message_type == MessageType::Response {
        return Answer { bytes: Vec::new(), refused: Some("an answer".to_owned()) };
    }
    if header.op_code != OpCode::Query {
        return bare(&header, ResponseCode::Refused, "an operation other than QUERY".to_owned());
    }
    if query.len() > MESSAGE_MAX || header.counts.queries != 1 {
        return bare(&header, ResponseCode::FormErr, MALFORMED.to_owned());
    }
    let Ok(question) = Query::read(&mut decoder) else { return bare(&header, ResponseCode::FormErr, MALFORMED.to_owned()) };
    let asked = format!("{} {}", kind(question.query_type()), shown(question.name()));
    match Message::from_vec(query) {
        Ok(message) => respond(&header, question, message.edns.as_ref(), asked, table, names),
        // The question could be read, something behind it could not.
        Err(_) => bare(&header, ResponseCode::FormErr, asked),
    }
}

const MALFORMED: &str = "malformed query";

fn respond(header: &Header, question: Query, edns: Option<&Edns>, asked: String, table: &Table, names: &Names) -> Answer {
    let outcome = judge(&question, edns, table, names);
    let mut message = reply(header);
    if let Some(asked_edns) = edns {
        let mut ours = Edns::new();
        ours.set_max_payload(PAYLOAD).set_version(0).set_dnssec_ok(asked_edns.flags().dnssec_ok);
        message.set_edns(ours);
    }
    let refused = match outcome {
        Outcome::Address(address) => {
            message.add_answer(Record::from_rdata(question.name().clone(), TTL, RData::A(A(address))));
            None
        }
        Outcome::NoData => None,
        Outcome::Fault(code) => {
            message.metadata.response_code = code;
            Some(asked)
        }
    };
    message.add_query(question);
    Answer { bytes: message.to_vec().unwrap_or_default(), refused }
}

enum Outcome {
    Address(std::net::Ipv4Addr),
    NoData,
    Fault(ResponseCode),
}

fn judge(question: &Query, edns: Option<&Edns>, table: &Table, names: &Names) -> Outcome {
    // RFC 6891 §6.1.3.
    if edns.is_some_and(|edns| edns.version() > 0) {
        return Outcome::Fault(ResponseCode::BADVERS);
    }
    if question.query_class() != DNSClass::IN || never_asked(question.query_type()) {
        return Outcome::Fault(ResponseCode::Refused);
    }
    let host = match Asked::of(question.name()) {
        Asked::Host(host) if Names::is_reserved(&host) || table.knows(&host) => host,
        Asked::Host(_) | Asked::Nothing => return Outcome::Fault(ResponseCode::NXDomain),
    };
    if question.query_type() != RecordType::A {
        return Outcome::NoData;
    }
    names.address_for(&host).map_or(Outcome::Fault(ResponseCode::ServFail), Outcome::Address)
}

/// Types that only tunnels, scanners and other servers ask for.
fn never_asked(kind: RecordType) -> bool {
    matches!(kind, RecordType::ANY | RecordType::AXFR | RecordType::IXFR | RecordType::NULL | RecordType::OPT | RecordType::TSIG)
}

/// An answer without a question, for what could not be read or is not answered at all.
fn bare(header: &Header, code: ResponseCode, refused: String) -> Answer {
    let mut message = reply(header);
    message.metadata.response_code = code;
    Answer { bytes: message.to_vec().unwrap_or_default(), refused: Some(refused) }
}

fn reply(header: &Header) -> Message {
    let mut message = Message::response(header.id, header.op_code);
    message.metadata = Metadata::response_from_request(&header.metadata);
    message.metadata.recursion_available = true;
    message
}

/// `A`, `AAAA`, `TYPE65280`.
fn kind(kind: RecordType) -> String {
    match kind {
        RecordType::Unknown(number) => format!("TYPE{number}"),
        known => known.to_string(),
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
