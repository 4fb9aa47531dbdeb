use proptest::prelude::*;

use super::{Paths, Readings, is_plain};
use crate::{PathMatch, PathValue};

/// All readings as texts; `None`: odd.
fn readings(raw: &str) -> Option<Vec<String>> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    match Paths::of(raw) {
        Paths::Plain(path) => Some(vec![text(path.to_vec())]),
        Paths::Several(several) => {
            let mut all: Vec<String> = several.iter().map(text).collect();
            all.sort();
            all.dedup();
            Some(all)
        }
        Paths::Odd => None,
    }
}

fn allowed(raw: &str, prefix: &str) -> bool {
    let rule = PathMatch::Prefix(PathValue::parse(prefix).unwrap());
    readings(raw).is_some_and(|all| all.iter().all(|path| rule.is_match(path.as_bytes())))
}

#[test]
fn ordinary_paths_have_one_reading() {
    for plain in ["/", "/api", "/api/", "/v1/messages", "/@scope/name", "/a.b/..c/d..", "/a:b,c@d!$&'()*+=~_-", "/.well-known/x"]
    {
        assert!(is_plain(plain.as_bytes()), "{plain}");
        assert_eq!(readings(plain).unwrap(), [plain]);
    }
    for plain in ["/+/x", "/a+b/c+", "/.+x", "/:x/a:.", "/v1/things:batch", "/..a:b"] {
        assert_eq!(readings(plain).unwrap(), [plain]);
    }
    assert_eq!(readings("/caf%C3%A9%20x").unwrap(), ["/café x"]);
    assert_eq!(readings("/.%E9%85%8D").unwrap(), ["/.配"]);
    assert_eq!(readings("/%61pi/%7Eme").unwrap(), ["/api/~me"]);
}

#[test]
fn every_reading_of_a_sign_is_there() {
    for (raw, expected) in [
        ("/@scope%2fname", vec!["/@scope%2Fname", "/@scope/name"]),
        ("/a/../b", vec!["/a/../b", "/b"]),
        ("/a/%2e%2E/b", vec!["/a/../b", "/b"]),
        ("/a/.", vec!["/a/", "/a/."]),
        ("/a/..", vec!["/", "/a/.."]),
        ("/../..", vec!["/", "/../.."]),
        ("/a//b", vec!["/a//b", "/a/b"]),
        ("//a", vec!["//a", "/a"]),
        ("/a;v=1/b", vec!["/a/b", "/a;v=1/b"]),
        ("/a\\b", vec!["/a/b", "/a\\b"]),
        ("/a%5Cb", vec!["/a/b", "/a\\b"]),
        ("/a%3Fb", vec!["/a", "/a?b"]),
        ("/a%252eb", vec!["/a%2eb", "/a.b"]),
        ("/100%25", vec!["/100%"]),
        ("/a/../%2e%2e/b", vec!["/../b", "/a/../../b", "/b"]),
    ] {
        assert_eq!(readings(raw).unwrap(), expected, "{raw}");
    }
}

#[test]
fn what_nobody_can_trust_is_odd() {
    for odd in [
        "",
        "*",
        "api",
        "/%",
        "/%2",
        "/%zz",
        "/%u002e",
        "/ok/..%C2%A5x",
        "/ok/..%E2%82%A9x",
        "/ok/..%E2%A7%B8x",
        "/ok/%E3%80%82%E3%80%82/x",
        "/ok/..%C2%A0/x",
        "/ok/..+/x",
        "/ok/+./x",
        "/ok/..%C2%AD/x",
        "/ok/%E2%80%8B../x",
        "/ok/.%E2%81%A0./x",
        "/ok/..%EF%BB%BF/x",
        "/ok/..:/x",
        "/ok/..::$DATA/x",
        "/ok/.:x",
        "/%00",
        "/a\0",
        "/%0d%0aX:",
        "/%7f",
        "/%2500",
        "/%c0%ae%c0%ae/",
        "/%ff",
        "/%C2%85",
        "/\u{ff0e}\u{ff0e}/x",
        "/%EF%BC%8F",
        "/...",
        "/%2e%2e%2e/x",
        "/.. /x",
        "/..%20/x",
        "/%25252e",
        "/api/..;/x",
        "/api/.;v=1/x",
        "/api/%2e%2e%3bx",
    ] {
        assert_eq!(readings(odd), None, "{odd}");
    }
    assert_eq!(readings(&format!("/%20{}", "a".repeat(Paths::MAX_LENGTH))), None);
    assert_eq!(readings(&format!("/{}", "a".repeat(100_000))).map(|all| all.len()), Some(1));
}

#[test]
fn the_number_of_readings_is_bounded() {
    assert_eq!(readings("/a//b;c\\d%2f%5c%3b%3f%2e%2e/../%252f%255c%253b%252e%252e"), None);
}

type Server = fn(&str) -> String;

/// How servers of several kinds read a path, written as they do it.
const SERVERS: [(&str, Server); 14] = [
    ("nginx", |raw| dots(&merged(&decoded(raw)))),
    ("nginx without merging", |raw| dots(&decoded(raw))),
    ("decodes and looks no further", decoded),
    ("keeps encoded slashes", |raw| dots(&merged(&decoded(&raw.replace("%2f", "%252F").replace("%2F", "%252F"))))),
    ("removes dots, then decodes", |raw| decoded(&dots(raw))),
    ("removes dots, decodes, removes dots", |raw| dots(&decoded(&dots(raw)))),
    ("decodes twice", |raw| dots(&decoded(&decoded(raw)))),
    ("removes dots between decoding and decoding", |raw| decoded(&dots(&decoded(raw)))),
    ("servlets: parameters first", |raw| dots(&merged(&decoded(&stripped(raw))))),
    ("parameters after decoding", |raw| dots(&stripped(&decoded(raw)))),
    ("parameters between dots", |raw| dots(&stripped(&dots(&decoded(raw))))),
    ("Windows", |raw| dots(&merged(&decoded(raw).replace('\\', "/")))),
    ("browsers' rules in front", |raw| dots(&decoded(&dots(&raw.replace('\\', "/").replace("%2e", ".").replace("%2E", "."))))),
    ("parses the decoded path as a URL again", |raw| {
        let once = decoded(raw);
        dots(&decoded(once.split(['?', '#']).next().unwrap_or_default()))
    }),
];

fn decoded(path: &str) -> String {
    let mut out = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex.filter(|_| first == b'%') {
            Some(byte) => (out.push(byte), rest = &tail[2..]),
            None => (out.push(first), rest = tail),
        };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn merged(path: &str) -> String {
    let mut path = path.to_owned();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    path
}

fn stripped(path: &str) -> String {
    path.split('/').map(|segment| segment.split(';').next().unwrap_or_default()).collect::<Vec<_>>().join("/")
}

fn dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (index, segment) in segments.iter().enumerate() {
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    kept.pop();
                }
                if index + 1 == segments.len() {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

fn tokens() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "/",
        "/",
        "/",
        "//",
        "api",
        "/api",
        "/api/",
        "admin",
        "a",
        "x",
        "..",
        "/..",
        "/../",
        ".",
        "%2e",
        "%2E%2e",
        "/%2e%2e/",
        "%252e",
        "%252e%252e",
        "%2f",
        "%2F",
        "%5c",
        "\\",
        "%255c",
        "%252f",
        ";",
        "%3b",
        ";x=1",
        "..;",
        "/..;/",
        "%3f",
        "%23",
        "%61pi",
        "%25",
        "%20",
        "%00",
        "%zz",
        "%c0%ae",
        "é",
        "~",
    ]);
    prop::collection::vec(token, 0..9).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Whatever passes a rule for `/api` stays below `/api` on every server.
    #[test]
    fn no_server_is_led_astray(tail in tokens(), inside in any::<bool>()) {
        let raw = if inside { format!("/api{tail}") } else { format!("/{tail}") };
        if allowed(&raw, "/api") {
            for (server, read) in SERVERS {
                let path = read(&raw);
                prop_assert!(path == "/api" || path.starts_with("/api/"), "{raw:?} leads {server} to {path:?}");
            }
        }
    }

    /// Never more readings than the bound, never a panic, and a leading slash in all of them.
    #[test]
    fn work_is_bounded(raw in "\\PC{0,40}", tail in tokens()) {
        for raw in [raw.clone(), format!("/{raw}"), format!("/{tail}")] {
            if let Paths::Several(several) = Paths::of(&raw) {
                let all: Vec<_> = several.iter().collect();
                prop_assert!((1..=Readings::MAX).contains(&all.len()));
                prop_assert!(all.iter().all(|path| path.starts_with(b"/")));
            }
        }
    }

    /// What is taken for plain would have had one reading, itself.
    #[test]
    fn plain_paths_are_plain(raw in "/[a-z.%/;A-F0-9]{0,12}") {
        if is_plain(raw.as_bytes()) {
            let several: Vec<_> = Readings::of(&raw).unwrap().iter().collect();
            prop_assert!(several.iter().all(|path| path == raw.as_bytes()), "{raw}");
        }
    }
}
