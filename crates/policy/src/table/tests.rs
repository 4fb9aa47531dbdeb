use crate::{
    Account, Asked, Auth, Code, Dlp, HeaderMatch, HeaderName, HeaderValue, Headers, Host, HostPattern, Method, OnMatch, Origin,
    PathMatch, PathValue, Reach, RequestMatch, Route, Rule, Scheme, Table, TableConflict, TlsMode, TokenRef, Transport, Verdict,
    parse_dial,
};

struct Sent(Vec<(&'static str, &'static str)>);

impl Headers for Sent {
    fn values<'a>(&'a self, name: &str) -> Box<dyn Iterator<Item = &'a [u8]> + 'a> {
        let name = name.to_owned();
        Box::new(self.0.iter().filter(move |(own, _)| *own == name).map(|(_, value)| value.as_bytes()))
    }
}

fn rule(pattern: &str, line: usize, change: impl FnOnce(&mut Route)) -> Rule {
    let mut route = Route::to(HostPattern::parse(pattern).unwrap());
    change(&mut route);
    Rule { route, origin: Origin::File { file: "/b.md".into(), line }, account: Account::Any }
}

fn matching(methods: &[&str], prefixes: &[&str]) -> RequestMatch {
    RequestMatch {
        paths: prefixes.iter().map(|path| PathMatch::Prefix(PathValue::parse(path).unwrap())).collect(),
        methods: methods.iter().map(|method| Method::parse(method).unwrap()).collect(),
        headers: Vec::new(),
    }
}

fn bearer() -> Option<Auth> {
    Some(Auth::Scheme { scheme: Scheme::Bearer, token_ref: TokenRef::parse("T").unwrap() })
}

/// The line of the rule that lets the request pass, or the code of the refusal.
fn judge(table: &Table, method: &str, url: &str) -> Result<usize, Code> {
    judge_with(table, method, url, &Sent(Vec::new()))
}

fn judge_with(table: &Table, method: &str, url: &str, headers: &Sent) -> Result<usize, Code> {
    let (transport, rest) = match url.strip_prefix("http://") {
        Some(rest) => (Transport::Plain, rest),
        None => (Transport::Tls, url.strip_prefix("https://").unwrap()),
    };
    let (authority, path) = rest.split_once('/').map_or((rest, "/"), |(authority, _)| (authority, &rest[authority.len()..]));
    let (host, port) = match authority.rsplit_once(':').filter(|_| !authority.ends_with(']')) {
        Some((host, port)) => (host, port.parse().unwrap()),
        None => (authority, transport.default_port()),
    };
    let host = Host::parse(host).unwrap();
    match table.judge(&Asked { transport, host: &host, port, method, path, headers }) {
        Verdict::Allow(rule) => match &rule.origin {
            Origin::File { line, .. } => Ok(*line),
            Origin::Provider(_) | Origin::ProviderWithin { .. } => unreachable!(),
        },
        Verdict::Refuse(refusal) => Err(refusal.code),
    }
}

fn reach(table: &Table, host: &str, port: u16) -> Result<(TlsMode, usize), Code> {
    let line = |rule: &Rule| match &rule.origin {
        Origin::File { line, .. } => *line,
        Origin::Provider(_) | Origin::ProviderWithin { .. } => unreachable!(),
    };
    match table.reach(&Host::parse(host).unwrap(), port) {
        Reach::Intercept(rule) => Ok((TlsMode::Intercept, line(rule))),
        Reach::Passthrough(rule) => Ok((TlsMode::Passthrough, line(rule))),
        Reach::Refuse(refusal) => Err(refusal.code),
    }
}

#[test]
fn the_most_specific_pattern_decides_alone() {
    let table = Table::new(vec![
        rule("*.example.org", 1, |_| {}),
        rule("*.api.example.org", 2, |_| {}),
        rule("v1.api.example.org", 3, |route| route.matches = vec![matching(&["GET"], &[])]),
        rule("192.0.2.7", 4, |_| {}),
    ])
    .unwrap();
    for (host, line) in [("a.example.org", 1), ("a.b.example.org", 1), ("v2.api.example.org", 2), ("x.v1.api.example.org", 2)] {
        assert_eq!(judge(&table, "POST", &format!("https://{host}/")), Ok(line), "{host}");
    }
    assert_eq!(judge(&table, "GET", "https://v1.api.example.org/"), Ok(3));
    assert_eq!(judge(&table, "POST", "https://v1.api.example.org/"), Err(Code::RequestNotAllowed));
    assert_eq!(judge(&table, "GET", "https://api.example.org/"), Ok(1));
    assert_eq!(judge(&table, "GET", "https://[::ffff:192.0.2.7]/"), Ok(4));
    for other in ["example.org", "evil-example.org", "example.org.evil.net", "192.0.2.8", "notexample.org"] {
        assert_eq!(judge(&table, "GET", &format!("https://{other}/")), Err(Code::HostNotAllowed), "{other}");
        assert!(!table.knows(&Host::parse(other).unwrap()));
    }
}

#[test]
fn among_equals_the_first_that_fits_decides() {
    let table = Table::new(vec![
        rule("example.org", 1, |route| {
            route.matches = vec![matching(&["GET"], &["/api"]), matching(&["HEAD"], &[])];
            route.auth = bearer();
        }),
        rule("example.org", 2, |route| route.matches = vec![matching(&["GET", "POST"], &["/api", "/upload"])]),
        rule("example.org", 3, |route| {
            route.ports = vec![8443];
            route.matches = vec![matching(&[], &["/other"])];
        }),
    ])
    .unwrap();
    for (method, url, expected) in [
        ("GET", "https://example.org/api/x", Ok(1)),
        ("HEAD", "https://example.org/%zz", Ok(1)),
        ("GET", "https://example.org/%zz", Err(Code::AmbiguousPath)),
        ("HEAD", "https://example.org/anything", Ok(1)),
        ("POST", "https://example.org/api", Ok(2)),
        ("GET", "https://example.org/upload", Ok(2)),
        ("get", "https://example.org/upload", Err(Code::RequestNotAllowed)),
        ("GET", "https://example.org/other", Err(Code::RequestNotAllowed)),
        ("GET", "https://example.org:8443/other", Ok(3)),
        ("GET", "https://example.org:8443/api", Err(Code::RequestNotAllowed)),
        ("GET", "https://example.org:8080/api", Err(Code::PortNotAllowed)),
        ("GET", "https://example.org/api/../upload", Err(Code::AmbiguousPath)),
        ("POST", "https://example.org/api/../upload", Ok(2)),
        ("POST", "https://example.org/api/../admin", Err(Code::AmbiguousPath)),
        ("DELETE", "https://example.org/api/../admin", Err(Code::RequestNotAllowed)),
        ("POST", "https://example.org/x/../y", Err(Code::RequestNotAllowed)),
    ] {
        assert_eq!(judge(&table, method, url), expected, "{method} {url}");
    }
}

#[test]
fn a_path_matters_only_where_paths_are_restricted() {
    let free = Table::new(vec![
        rule("npm.example", 1, |_| {}),
        rule("read.example", 2, |route| route.matches = vec![matching(&["GET"], &[])]),
    ]);
    let free = free.unwrap();
    for path in ["/@scope%2fname", "/%zz", "/a/../b", "/%00"] {
        assert_eq!(judge(&free, "GET", &format!("https://npm.example{path}")), Ok(1), "{path}");
        assert_eq!(judge(&free, "GET", &format!("https://read.example{path}")), Ok(2), "{path}");
    }
    let scoped = Table::new(vec![rule("npm.example", 1, |route| route.matches = vec![matching(&[], &["/@scope"])])]).unwrap();
    assert_eq!(judge(&scoped, "GET", "https://npm.example/@scope/name"), Ok(1));
    assert_eq!(judge(&scoped, "GET", "https://npm.example/@scope%2fname"), Err(Code::AmbiguousPath));
}

/// A stricter rule must not let go of a request because its path is odd, so that a later rule takes it.
#[test]
fn an_odd_path_does_not_slip_past_a_stricter_rule() {
    let table = Table::new(vec![
        rule("example.org", 1, |route| {
            route.matches = vec![matching(&["POST"], &["/upload"])];
            route.dlp = Some(Dlp { on_match: OnMatch::Block, ..Dlp::default() });
        }),
        rule("example.org", 2, |_| {}),
    ])
    .unwrap();
    assert_eq!(judge(&table, "POST", "https://example.org/upload"), Ok(1));
    assert_eq!(judge(&table, "POST", "https://example.org/%75pload"), Ok(1));
    assert_eq!(judge(&table, "POST", "https://example.org/other"), Ok(2));
    for odd in ["/x/../upload", "//upload", "/upload%2f", "/%zz", "/upload;x", "/upload%00"] {
        assert_eq!(judge(&table, "POST", &format!("https://example.org{odd}")), Err(Code::AmbiguousPath), "{odd}");
        assert_eq!(judge(&table, "GET", &format!("https://example.org{odd}")), Ok(2), "{odd}");
    }
}

#[test]
fn headers_must_be_there_once_with_an_allowed_value() {
    let header = HeaderMatch {
        name: HeaderName::parse("X-Version").unwrap(),
        values: ["1", "2"].map(|value| HeaderValue::parse(value).unwrap()).to_vec(),
    };
    let table = Table::new(vec![rule("example.org", 1, |route| {
        route.matches = vec![RequestMatch { headers: vec![header], ..RequestMatch::default() }];
    })])
    .unwrap();
    let judge = |sent: &[(&'static str, &'static str)]| judge_with(&table, "GET", "https://example.org/", &Sent(sent.to_vec()));
    assert_eq!(judge(&[("x-version", "2")]), Ok(1));
    for bad in
        [&[][..], &[("x-version", "3")], &[("x-version", "1"), ("x-version", "1")], &[("x-version", "1, 2")], &[("x-other", "1")]]
    {
        assert_eq!(judge(bad), Err(Code::RequestNotAllowed), "{bad:?}");
    }
}

#[test]
fn a_method_in_a_header_is_judged_like_the_requests_own() {
    let table = Table::new(vec![
        rule("example.org", 1, |route| {
            route.matches = vec![matching(&["GET", "POST"], &["/api"])];
            route.auth = bearer();
        }),
        rule("example.org", 2, |route| route.matches = vec![matching(&["PUT"], &["/api"])]),
        rule("free.example", 3, |_| {}),
    ])
    .unwrap();
    let url = "https://example.org/api";
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        assert_eq!(judge_with(&table, "POST", url, &Sent(vec![(name, "get")])), Ok(1));
        for method in ["DELETE", "delete", " Delete ", "GET, DELETE", "PUT", ""] {
            let sent = Sent(vec![(name, method)]);
            assert_eq!(judge_with(&table, "POST", url, &sent), Err(Code::RequestNotAllowed), "{name}: {method}");
            assert_eq!(judge_with(&table, "POST", "https://free.example/", &sent), Ok(3));
        }
        assert_eq!(judge_with(&table, "DELETE", url, &Sent(vec![(name, "GET")])), Err(Code::RequestNotAllowed));
        let two = Sent(vec![(name, "GET"), (name, "DELETE")]);
        assert_eq!(judge_with(&table, "GET", url, &two), Err(Code::RequestNotAllowed));
    }
}

#[test]
fn a_credential_needs_tls_but_on_this_very_machine() {
    let table = Table::new(vec![
        rule("a.example", 1, |route| route.auth = bearer()),
        rule("near.example", 2, |route| (route.auth, route.dial) = (bearer(), parse_dial("127.0.0.1:9").ok())),
        rule("lan.example", 3, |route| (route.auth, route.dial) = (bearer(), parse_dial("10.0.0.1:9").ok())),
        rule("odd.example", 4, |route| (route.auth, route.ports) = (bearer(), vec![443])),
    ])
    .unwrap();
    assert_eq!(judge(&table, "GET", "https://a.example/"), Ok(1));
    assert_eq!(judge(&table, "GET", "http://near.example/"), Ok(2));
    for bad in ["http://a.example/", "http://lan.example/", "http://odd.example:443/"] {
        assert_eq!(judge(&table, "GET", bad), Err(Code::PlaintextCredential), "{bad}");
    }
}

#[test]
fn ports_are_judged_before_tls() {
    let table = Table::new(vec![
        rule("a.example", 1, |_| {}),
        rule("a.example", 2, |route| route.ports = vec![8443, 80]),
        rule("pinned.example", 3, |route| route.tls = TlsMode::Passthrough),
    ])
    .unwrap();
    assert_eq!(reach(&table, "a.example", 443), Ok((TlsMode::Intercept, 1)));
    assert_eq!(reach(&table, "a.example", 8443), Ok((TlsMode::Intercept, 2)));
    assert_eq!(reach(&table, "a.example", 22), Err(Code::PortNotAllowed));
    assert_eq!(reach(&table, "b.example", 443), Err(Code::HostNotAllowed));
    assert_eq!(reach(&table, "pinned.example", 443), Ok((TlsMode::Passthrough, 3)));
    // Nothing unopened on the port for requests without TLS.
    assert_eq!(reach(&table, "pinned.example", 80), Ok((TlsMode::Intercept, 3)));
    assert_eq!(judge(&table, "GET", "https://pinned.example:80/"), Err(Code::PortNotAllowed));
}

#[test]
fn what_cannot_hold_together_is_an_error_that_names_both_places() {
    let conflict = |first: Rule, second: Rule| *Table::new(vec![first, second]).unwrap_err();
    let disagree = [
        conflict(rule("a.example", 1, |_| {}), rule("a.example", 2, |route| route.tls = TlsMode::Passthrough)),
        conflict(rule("*.a.example", 1, |route| route.dial = parse_dial("10.0.0.1:1").ok()), rule("*.a.example", 2, |_| {})),
        conflict(rule("a.example", 1, |_| {}), Rule { account: Account::Ours, ..rule("a.example", 2, |_| {}) }),
    ];
    for conflict in &disagree {
        assert!(matches!(conflict, TableConflict::Disagree { .. }));
        assert!(conflict.to_string().contains("/b.md:1 and /b.md:2"), "{conflict}");
    }
    let get = |route: &mut Route| route.matches = vec![matching(&["GET"], &[])];
    let covered = [
        conflict(rule("a.example", 1, |_| {}), rule("a.example", 2, |route| (route.auth, route.ports) = (bearer(), vec![]))),
        conflict(rule("a.example", 1, get), rule("a.example", 2, |route| (get(route), route.auth = bearer()).0)),
        conflict(rule("a.example", 1, |_| {}), rule("a.example", 2, |route| route.dlp = Some(Dlp::default()))),
    ];
    assert!(covered.iter().all(|conflict| matches!(conflict, TableConflict::Covered { .. })));
    // These are in force beside each other.
    let fine = [
        (rule("a.example", 1, get), rule("a.example", 2, |_| {})),
        (rule("a.example", 1, |_| {}), rule("a.example", 2, get)),
        (rule("a.example", 1, get), rule("a.example", 2, |route| route.auth = bearer())),
        (rule("a.example", 1, |_| {}), rule("a.example", 2, |route| (route.auth, route.ports) = (bearer(), vec![8443]))),
        (rule("a.example", 1, |_| {}), rule("*.a.example", 2, |route| route.tls = TlsMode::Passthrough)),
    ];
    for (first, second) in fine {
        assert!(Table::new(vec![first, second]).is_ok());
    }
}

#[test]
fn refusals_say_what_is_allowed_and_repeat_nothing_of_the_request() {
    let table = Table::new(vec![rule("example.org", 7, |route| route.matches = vec![matching(&["GET"], &["/api"])])]).unwrap();
    let host = Host::parse("example.org").unwrap();
    let sent = Sent(vec![("authorization", "canary")]);
    let asked = Asked { transport: Transport::Tls, host: &host, port: 443, method: "GET", path: "/canary/..", headers: &sent };
    let Verdict::Refuse(refusal) = table.judge(&asked) else { panic!("allowed") };
    assert_eq!(
        (refusal.code, refusal.rule.as_ref().map(ToString::to_string).as_deref()),
        (Code::RequestNotAllowed, Some("/b.md:7"))
    );
    assert!(refusal.hint.starts_with("allowed for example.org: GET /api and below; "), "{}", refusal.hint);
    assert!(!format!("{refusal:?}").contains("canary"));
}
