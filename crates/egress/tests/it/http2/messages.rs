//! Requests: RFC 9113 §8.

use testkit::http2::{END_HEADERS, END_STREAM, Frame, Kind, literal};

use super::*;

const METHOD: (&str, &str) = (":method", "GET");
const SCHEME: (&str, &str) = (":scheme", "https");
const PATH: (&str, &str) = (":path", "/");
const AUTHORITY: (&str, &str) = (":authority", "a.example");

fn request(what: &'static str, fields: &[(&str, &str)], must: Must) -> Case {
    case(what, [Frame::request(1, literal(fields))], must)
}

fn more(what: &'static str, name: &str, value: &str, must: Must) -> Case {
    request(what, &[METHOD, SCHEME, PATH, AUTHORITY, (name, value)], must)
}

#[tokio::test]
async fn http2_malformed_heads() {
    let seen = check(vec![
        more("8.2.1: a name in upper case", "X-Test", "a", EndConnection(PROTOCOL_ERROR)),
        more("8.2.1: an empty name", "", "a", EndConnection(PROTOCOL_ERROR)),
        more("8.2.1: a space in a name", "x test", "a", EndConnection(PROTOCOL_ERROR)),
        more("8.2.1: a colon in a name", "x:test", "a", EndConnection(PROTOCOL_ERROR)),
        more("8.2.1: a line feed in a value", "x-test", "a\nb: c", EndConnection(PROTOCOL_ERROR)),
        more("8.2.1: a carriage return in a value", "x-test", "a\r", EndConnection(PROTOCOL_ERROR)),
        more("8.2.1: a NUL in a value", "x-test", "a\0", EndConnection(PROTOCOL_ERROR)),
        more("8.2.2: Connection", "connection", "keep-alive", EndStream(PROTOCOL_ERROR)),
        more("8.2.2: Proxy-Connection", "proxy-connection", "keep-alive", EndStream(PROTOCOL_ERROR)),
        more("8.2.2: Keep-Alive", "keep-alive", "timeout=5", EndStream(PROTOCOL_ERROR)),
        more("8.2.2: Transfer-Encoding", "transfer-encoding", "chunked", EndStream(PROTOCOL_ERROR)),
        more("8.2.2: Upgrade", "upgrade", "h2c", EndStream(PROTOCOL_ERROR)),
        more("8.2.2: TE other than trailers", "te", "trailers, deflate", EndStream(PROTOCOL_ERROR)),
        more("8.2.2: TE with trailers", "te", "trailers", Answer(200)),
        more("8.3: a pseudo-header that does not exist", ":test", "a", EndConnection(PROTOCOL_ERROR)),
        more("8.3: an answer's pseudo-header", ":status", "200", EndStream(PROTOCOL_ERROR)),
        request(
            "8.3: a pseudo-header behind a header",
            &[METHOD, SCHEME, ("x-test", "a"), PATH, AUTHORITY],
            EndStream(PROTOCOL_ERROR),
        ),
        more("8.3.1: two methods", ":method", "GET", EndStream(PROTOCOL_ERROR)),
        more("8.3.1: two schemes", ":scheme", "https", EndStream(PROTOCOL_ERROR)),
        more("8.3.1: two paths", ":path", "/", EndStream(PROTOCOL_ERROR)),
        more("8.3.1: two authorities", ":authority", "a.example", EndStream(PROTOCOL_ERROR)),
        request("8.3.1: no method", &[SCHEME, PATH, AUTHORITY], EndStream(PROTOCOL_ERROR)),
        request("8.3.1: no scheme", &[METHOD, PATH, AUTHORITY], EndStream(PROTOCOL_ERROR)),
        request("8.3.1: no path", &[METHOD, SCHEME, AUTHORITY], EndStream(PROTOCOL_ERROR)),
        request("8.3.1: an empty path", &[METHOD, SCHEME, (":path", ""), AUTHORITY], EndStream(PROTOCOL_ERROR)),
        request("8.3: nothing at all", &[], EndStream(PROTOCOL_ERROR)),
    ])
    .await;
    assert_eq!(seen, 1);
}

/// What names another place than the connection is for, or several, or none.
#[tokio::test]
async fn http2_authorities_that_do_not_agree() {
    let seen = check(vec![
        request("another authority", &[METHOD, SCHEME, PATH, (":authority", "b.example")], Answer(421)),
        request("another port", &[METHOD, SCHEME, PATH, (":authority", "a.example:8443")], Answer(421)),
        more("another host beside the authority", "host", "b.example", Answer(421)),
        request("another host, and no authority", &[METHOD, SCHEME, PATH, ("host", "b.example")], Answer(421)),
        request("neither", &[METHOD, SCHEME, PATH], Answer(400)),
        request("user information", &[METHOD, SCHEME, PATH, (":authority", "a.example@b.example")], Answer(421)),
        request("another scheme", &[METHOD, (":scheme", "http"), PATH, AUTHORITY], Answer(400)),
        request(
            "a path that is a whole URL",
            &[METHOD, SCHEME, (":path", "https://b.example/"), AUTHORITY],
            EndStream(PROTOCOL_ERROR),
        ),
        request("a path without a slash", &[METHOD, SCHEME, (":path", "x"), AUTHORITY], EndStream(PROTOCOL_ERROR)),
        request("a path with a space", &[METHOD, SCHEME, (":path", "/a b"), AUTHORITY], EndStream(PROTOCOL_ERROR)),
        request("CONNECT", &[("8.5", "x"), (":method", "CONNECT"), (":authority", "b.example:443")], EndStream(PROTOCOL_ERROR)),
        request("CONNECT", &[(":method", "CONNECT"), (":authority", "b.example:443")], Answer(400)),
        request(
            "extended CONNECT",
            &[(":method", "CONNECT"), (":protocol", "websocket"), SCHEME, PATH, AUTHORITY],
            EndStream(PROTOCOL_ERROR),
        ),
    ])
    .await;
    assert_eq!(seen, 0);
}

#[tokio::test]
async fn http2_bodies_and_trailers() {
    let with_length = |value: &str| Frame::request_with_body(1, head("POST", &[("content-length", value)]));
    let data = |text: &str| Frame::new(Kind::Data, 1, text);
    let trailers = |fields: &[(&str, &str)]| Frame::new(Kind::Headers, 1, literal(fields)).with(END_HEADERS);
    let seen = check(vec![
        case(
            "8.1: a second head that does not end the request",
            [Frame::request_with_body(1, post()), trailers(&[("x", "y")])],
            EndStream(PROTOCOL_ERROR),
        ),
        case(
            "8.1: trailers",
            [Frame::request_with_body(1, post()), data("x"), trailers(&[("x", "y")]).with(END_STREAM)],
            Answer(200),
        ),
        case(
            // It should be malformed; h2 leaves the pseudo-header out.
            "8.1: a pseudo-header in trailers",
            [Frame::request_with_body(1, post()), data("x"), trailers(&[METHOD]).with(END_STREAM)],
            Answer(200),
        ),
        case("8.1.1: less than was said", [with_length("2"), data("x").with(END_STREAM)], EndStream(PROTOCOL_ERROR)),
        case("8.1.1: more than was said", [with_length("1"), data("xx").with(END_STREAM)], EndStream(PROTOCOL_ERROR)),
        case(
            "8.1.1: more in several frames",
            [with_length("1"), data("x"), data("x").with(END_STREAM)],
            EndStream(PROTOCOL_ERROR),
        ),
        case("8.1.1: as much as was said", [with_length("2"), data("x"), data("x").with(END_STREAM)], Answer(200)),
        case("8.1.1: no number", [with_length("+1"), data("x").with(END_STREAM)], EndStream(PROTOCOL_ERROR)),
        case(
            "8.1.1: two lengths",
            [Frame::request_with_body(1, head("POST", &[("content-length", "1"), ("content-length", "2")]))],
            EndStream(PROTOCOL_ERROR),
        ),
        case(
            "8.1.1: a length and no body",
            [Frame::request(1, head("POST", &[("content-length", "1")]))],
            EndStream(PROTOCOL_ERROR),
        ),
        case(
            "empty data between the rest",
            [Frame::request_with_body(1, post()), data(""), data("x"), data(""), data("").with(END_STREAM)],
            Answer(200),
        ),
    ])
    .await;
    assert_eq!(seen, 4);
}
