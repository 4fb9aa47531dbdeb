//! Request heads against the policy: whatever path is allowed stays below what the rule says, for every kind of server; a
//! host has one spelling.
//!
//! The input is `METHOD NUL path NUL query NUL host`.
#![no_main]

use std::iter;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use policy::{
    Account, Asked, Headers, Host, HostPattern, Method, Origin, PathMatch, PathValue, RequestMatch, Route, Rule, Table, Transport,
    Verdict, is_git_push,
};

static HOST: LazyLock<Host> = LazyLock::new(|| Host::parse("api.example.org").unwrap());
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut route = Route::to(HostPattern::Exact(HOST.clone()));
    let paths = vec![PathMatch::Prefix(PathValue::parse("/api").unwrap())];
    route.matches = vec![RequestMatch { paths, methods: vec![Method::parse("GET").unwrap()], headers: Vec::new() }];
    Table::new(vec![Rule { route, origin: Origin::Provider("fuzz"), account: Account::Any }]).unwrap()
});

struct NoHeaders;

impl Headers for NoHeaders {
    fn values<'a>(&'a self, _: &str) -> Box<dyn Iterator<Item = &'a [u8]> + 'a> {
        Box::new(iter::empty())
    }
}

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut parts = text.splitn(4, '\0');
    let mut next = || parts.next().unwrap_or_default();
    let (method, path, query, host) = (next(), next(), next(), next());
    one_spelling(host);
    is_git_push(method, path, query);
    let asked = Asked { transport: Transport::Tls, host: &HOST, port: 443, method, path, headers: &NoHeaders };
    match TABLE.judge(&asked) {
        Verdict::Refuse(refusal) => assert!(!refusal.message.is_empty()),
        Verdict::Allow(_) => {
            assert_eq!(method, "GET");
            for (server, read) in SERVERS {
                let meant = read(path.as_bytes());
                assert!(meant == b"/api" || meant.starts_with(b"/api/"), "{server} reads {}", meant.escape_ascii());
            }
        }
    }
});

fn one_spelling(text: &str) {
    let Ok(host) = Host::parse(text) else { return };
    let shown = host.to_string();
    assert_eq!(Host::parse(&shown).as_ref(), Ok(&host), "{shown} is no spelling of itself");
    assert!(!shown.contains(['/', '@', '?', '#', '\\', ' ', '%']), "{shown} is more than a host");
}

/// Servers, each in the fewest words, and written apart from what they check.
const SERVERS: [(&str, fn(&[u8]) -> Vec<u8>); 5] = [
    ("one that decodes nothing", |path| resolved(path)),
    ("one that decodes once", |path| resolved(&decoded(path))),
    ("one that drops parameters, then decodes", |path| resolved(&decoded(&bare(path)))),
    ("one that decodes, then drops parameters", |path| resolved(&bare(&decoded(path)))),
    ("one that decodes twice and takes \\ for /", |path| resolved(&slashed(decoded(&decoded(path))))),
];

fn decoded(path: &[u8]) -> Vec<u8> {
    let hex = |at: usize| path.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let (mut out, mut at) = (Vec::new(), 0);
    while at < path.len() {
        match (path[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, _, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// Without `;parameters`.
fn bare(path: &[u8]) -> Vec<u8> {
    path.split(|byte| *byte == b'/').map(|segment| segment.split(|byte| *byte == b';').next().unwrap()).collect::<Vec<_>>().join(&b'/')
}

fn slashed(path: Vec<u8>) -> Vec<u8> {
    path.into_iter().map(|byte| if byte == b'\\' { b'/' } else { byte }).collect()
}

/// Without dot-segments and empty ones, as a file system would have it.
fn resolved(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    for segment in path.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => drop(kept.pop()),
            name => kept.push(name),
        }
    }
    kept.iter().flat_map(|name| iter::once(&b'/').chain(*name)).copied().collect()
}
