use proptest::prelude::*;

use super::{Bounds, Framing, Violation};

const BOUNDS: Bounds = Bounds { bytes: 4096, fields: 20 };

fn fed(bytes: &[u8]) -> Result<(), Violation> {
    Framing::new(BOUNDS).feed(bytes)
}

fn in_pieces(bytes: &[u8], cuts: &[usize]) -> Result<(), Violation> {
    let mut framing = Framing::new(BOUNDS);
    let mut rest = bytes;
    for cut in cuts {
        let (piece, after) = rest.split_at((*cut).min(rest.len()));
        framing.feed(piece)?;
        rest = after;
    }
    framing.feed(rest)
}

const GOOD: [&str; 11] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "GET http://a/b?c HTTP/1.1\r\nhost:a\r\nX-Empty:\r\nX: \t a b \t\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0A\r\n\n\n\n\n\n\n\n\n\n\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n000\r\nX: y\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03\x01\n\n\n",
    "GET /a|b^c{d}\"e\"[f]/\\?g={`h`}|^ HTTP/1.1\r\nHost: a\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\u{e9} HTTP/1.1\r\nHost: a\r\nX: \u{e9}\r\n\r\n",
];

#[test]
fn ordinary_messages_pass() {
    for message in GOOD {
        assert_eq!(fed(message.as_bytes()), Ok(()), "{message:?}");
        let mut framing = Framing::new(BOUNDS);
        framing.feed(message.as_bytes()).unwrap();
        assert!(!framing.is_in_head(), "{message:?}");
    }
}

#[test]
fn what_can_be_read_in_two_ways_does_not() {
    let get = |fields: &str| format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let chunked = |body: &str| format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    let cases: Vec<(String, Violation)> = vec![
        ("GET / HTTP/1.1\nHost: a\r\n\r\n".into(), Violation::LineEnd),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n".into(), Violation::LineEnd),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n".into(), Violation::LineEnd),
        ("GET / HTTP/1.1\rHost: a\r\n\r\n".into(), Violation::LineEnd),
        ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".into(), Violation::RequestLine),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n".into(), Violation::Folded),
        (get("X: a\r\n b\r\n"), Violation::Folded),
        (get("X: a\r\n\tb\r\n"), Violation::Folded),
        (get("X: a\0b\r\n"), Violation::Control),
        (get("X: a\rb\r\n"), Violation::LineEnd),
        (get("X\0: a\r\n"), Violation::Control),
        (get("X : a\r\n"), Violation::FieldName),
        (get("X\t: a\r\n"), Violation::FieldName),
        (get(": a\r\n"), Violation::FieldName),
        (get("X\r\n"), Violation::FieldName),
        (get("X(y): a\r\n"), Violation::FieldName),
        (get("Content-Length : 5\r\n"), Violation::FieldName),
        (get("Content-Length: 5\r\nContent-Length: 5\r\n"), Violation::Length),
        (get("Content-Length: 5, 5\r\n"), Violation::Length),
        (get("Content-Length: +5\r\n"), Violation::Length),
        (get("Content-Length: -1\r\n"), Violation::Length),
        (get("Content-Length: 0x5\r\n"), Violation::Length),
        (get("Content-Length:\r\n"), Violation::Length),
        (get("Content-Length: 99999999999999999999\r\n"), Violation::Length),
        (get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), Violation::Encoding),
        (get("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), Violation::Encoding),
        (get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), Violation::Encoding),
        (get("Transfer-Encoding: gzip, chunked\r\n"), Violation::Encoding),
        (get("Transfer-Encoding: chunked, identity\r\n"), Violation::Encoding),
        (get("Transfer-Encoding: xchunked\r\n"), Violation::Encoding),
        (get("Transfer-Encoding: \x0bchunked\r\n"), Violation::Control),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".into(), Violation::Encoding),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into(), Violation::Host),
        ("GET / HTTP/1.1\r\nX: a\r\n\r\n".into(), Violation::Host),
        ("GET / HTTP/1.2\r\nHost: a\r\n\r\n".into(), Violation::RequestLine),
        ("GET / HTTP/0.9\r\n\r\n".into(), Violation::RequestLine),
        ("GET /\r\n\r\n".into(), Violation::RequestLine),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n".into(), Violation::RequestLine),
        ("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n".into(), Violation::RequestLine),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n".into(), Violation::RequestLine),
        ("GET /<a HTTP/1.1\r\nHost: a\r\n\r\n".into(), Violation::Target),
        ("GET /a> HTTP/1.1\r\nHost: a\r\n\r\n".into(), Violation::Target),
        ("GET /`a` HTTP/1.1\r\nHost: a\r\n\r\n".into(), Violation::Target),
        ("GET /?<a> HTTP/1.1\r\nHost: a\r\n\r\n".into(), Violation::Target),
        ("GET /?\" HTTP/1.1\r\nHost: a\r\n\r\n".into(), Violation::Target),
        ("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n".into(), Violation::Fragment),
        ("GET #b HTTP/1.1\r\nHost: a\r\n\r\n".into(), Violation::Fragment),
        ("GET http://a#b HTTP/1.1\r\nHost: a\r\n\r\n".into(), Violation::Fragment),
        ("GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n".into(), Violation::Target),
        ("CONNECT a:b:c HTTP/1.1\r\nHost: a\r\n\r\n".into(), Violation::Target),
        ("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n".into(), Violation::Control),
        ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n".into(), Violation::RequestLine),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), Violation::RequestLine),
        (chunked("5;x=y\r\nhello\r\n0\r\n\r\n"), Violation::Chunk),
        (chunked("5 \r\nhello\r\n0\r\n\r\n"), Violation::Chunk),
        (chunked("5\nhello\r\n0\r\n\r\n"), Violation::LineEnd),
        (chunked("0x5\r\nhello\r\n0\r\n\r\n"), Violation::Chunk),
        (chunked("-1\r\nhello\r\n0\r\n\r\n"), Violation::Chunk),
        (chunked("\r\nhello\r\n0\r\n\r\n"), Violation::Chunk),
        (chunked("10000000000000000\r\nhello"), Violation::Chunk),
        (chunked("4\r\nhello\r\n0\r\n\r\n"), Violation::Chunk),
        (chunked("5\r\nhello\n0\r\n\r\n"), Violation::LineEnd),
        (chunked("0\r\nContent-Length: 5\r\n\r\n"), Violation::Trailer),
        (chunked("0\r\n folded\r\n\r\n"), Violation::Folded),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n".into(), Violation::ConnectBody),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".into(), Violation::ConnectBody),
        (get(&format!("X: {}\r\n", "a".repeat(5000))), Violation::TooLarge),
        (get(&"X: a\r\n".repeat(20)), Violation::TooLarge),
        (chunked(&format!("0\r\n{}\r\n", "X: a\r\n".repeat(21))), Violation::TooLarge),
    ];
    for (message, expected) in cases {
        assert_eq!(fed(message.as_bytes()), Err(expected), "{message:?}");
        let bytes: Vec<usize> = vec![1; message.len()];
        assert_eq!(in_pieces(message.as_bytes(), &bytes), Err(expected), "byte by byte: {message:?}");
    }
}

#[test]
fn a_target_is_text_and_not_longer_than_the_server_takes() {
    assert_eq!(fed(b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"), Err(Violation::Target));
    let ends = |length: usize| {
        let request = [b"GET /", &vec![b'a'; length - 1][..], b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
        Framing::new(Bounds { bytes: 1 << 20, fields: 20 }).feed(&request)
    };
    assert_eq!((ends(65_534), ends(65_535)), (Ok(()), Err(Violation::TooLarge)));
}

#[test]
fn a_head_without_an_end_is_bounded_and_known_to_be_open() {
    let mut framing = Framing::new(BOUNDS);
    framing.feed(b"GET / HT").unwrap();
    assert!(framing.is_in_head());
    framing.feed(b"TP/1.1\r\n").unwrap();
    assert!(framing.is_in_head());
    let mut fed = 0;
    while framing.feed(b"aaaa").is_ok() {
        fed += 4;
        assert!(fed < 2 * BOUNDS.bytes);
    }
}

#[test]
fn an_open_gate_lets_everything_through() {
    let mut framing = Framing::new(BOUNDS);
    framing.feed(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    framing.open();
    assert_eq!(framing.feed(b"\0\n\r\xff anything"), Ok(()));
}

/// Pieces from which messages good and bad are made.
fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "POST /x HTTP/1.1\r\n",
        "HTTP/1.0\r\n",
        "Host: a\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: 0\r\n",
        "Transfer-Encoding: chunked\r\n",
        "\r\n",
        "\n",
        "\r",
        "hello",
        "5\r\n",
        "0\r\n",
        " ",
        "X: y\r\n",
        ":",
        "\0",
        "a",
    ]);
    proptest::collection::vec(fragment, 0..20).prop_map(|parts| parts.concat().into_bytes())
}

proptest! {
    #[test]
    fn however_it_is_cut_the_verdict_is_the_same(bytes in fragments(), cuts in proptest::collection::vec(0usize..30, 0..30)) {
        prop_assert_eq!(fed(&bytes), in_pieces(&bytes, &cuts));
    }

    #[test]
    fn any_bytes_have_a_verdict(bytes in proptest::collection::vec(any::<u8>(), 0..200), cuts in proptest::collection::vec(0usize..30, 0..9)) {
        prop_assert_eq!(fed(&bytes), in_pieces(&bytes, &cuts));
    }
}
