use http::header::{
    ALT_SVC, CONNECTION, CONTENT_LENGTH, EXPECT, FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL, SET_COOKIE, TE, TRANSFER_ENCODING, UPGRADE,
};
use policy::{Auth, Headers, Rule};

use super::credential_headers::{is_credential, strip_credentials};
use crate::refusal;

/// Headers of one connection (RFC 9110 §7.6.1), with those that older software uses so.
static HOP_BY_HOP: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("http2-settings"),
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// By which a message is framed and routed.
static FRAMING: [HeaderName; 2] = [HOST, CONTENT_LENGTH];

/// Removes what concerns one connection alone, that which `Connection` names included; `TE: trailers` stays, because gRPC
/// servers ask for it. Done before a request is judged. Threat: a header that a rule asks for, named in `Connection` so that
/// it is judged and then not sent.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        for name in named_by_connection(headers) {
            headers.remove(name);
        }
    }
    let trailers = headers.get_all(TE).iter().any(|te| has_token(te, "trailers"));
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// Those that are no part of the message's framing: that is not for `Connection` to change.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let names = values.flat_map(|value| value.split(',')).filter_map(|name| name.trim().parse::<HeaderName>().ok());
    names.filter(|name| *name != HOST && *name != CONTENT_LENGTH && *name != TE && *name != TRANSFER_ENCODING).collect()
}

/// By which servers that expect a proxy of their own in front take a request to be for another host or path than it says.
static SAID_BY_PROXIES: [HeaderName; 27] = [
    FORWARDED,
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-server"),
    HeaderName::from_static("x-forwarded-uri"),
    HeaderName::from_static("x-forwarded-path"),
    HeaderName::from_static("x-forwarded-prefix"),
    HeaderName::from_static("x-forwarded-url"),
    HeaderName::from_static("x-original-host"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-original-uri"),
    HeaderName::from_static("x-original-path"),
    HeaderName::from_static("x-rewrite-url"),
    HeaderName::from_static("x-rewrite-uri"),
    HeaderName::from_static("x-override-url"),
    HeaderName::from_static("x-host"),
    HeaderName::from_static("x-real-host"),
    HeaderName::from_static("x-backend-host"),
    HeaderName::from_static("x-http-host-override"),
    HeaderName::from_static("x-http-path-override"),
    HeaderName::from_static("x-http-destinationurl"),
    HeaderName::from_static("x-envoy-original-path"),
    HeaderName::from_static("x-envoy-original-host"),
    HeaderName::from_static("x-ms-original-url"),
    HeaderName::from_static("x-waws-unencoded-url"),
    HeaderName::from_static("x-request-uri"),
    HeaderName::from_static("x-script-name"),
    HeaderName::from_static("script-name"),
];

/// Removes what else is not for the other end: `Expect` was answered here, early data is not taken. Threat: a host or path in a
/// header that some servers believe more than the request's own (`X-Original-URL: /admin`, CVE-2018-14773), which nobody judged.
pub(super) fn strip_ours(headers: &mut HeaderMap) {
    headers.remove(EXPECT);
    headers.remove("early-data");
    for name in &SAID_BY_PROXIES {
        headers.remove(name);
    }
    strip_disguised(headers);
}

/// Removes headers that are written with `_` and mean something with `-`. Threat: gateways in CGI's manner (RFC 3875 §4.1.18) make
/// one variable of both, so that `Content_Length` or `X_Original_URL` would count though nobody judged it.
fn strip_disguised(headers: &mut HeaderMap) {
    let disguised: Vec<HeaderName> = headers.keys().filter(|name| name.as_str().contains('_')).cloned().collect();
    for name in disguised {
        let Ok(meant) = name.as_str().replace('_', "-").parse::<HeaderName>() else { continue };
        let counts = [&HOP_BY_HOP[..], &SAID_BY_PROXIES, &FRAMING].iter().any(|names| names.contains(&meant));
        if counts || policy::OVERRIDING.contains(&meant.as_str()) {
            headers.remove(name);
        }
    }
}

/// The headers that a rule compares, and the one that its credential stands in.
pub(super) fn named_by(rule: &Rule) -> Vec<HeaderName> {
    let compared = rule.route.matches.iter().flat_map(|matched| &matched.headers).map(|header| header.name.as_str());
    let paid = match &rule.route.auth {
        Some(Auth::Header { header, .. }) => Some(header.as_str()),
        Some(Auth::Scheme { .. } | Auth::Basic { .. }) | None => None,
    };
    compared.chain(paid).filter_map(|name| name.parse().ok()).collect()
}

/// Removes what is one of `names` but for `_` and `-`: a second one beside that which was judged, or which is put in.
pub(super) fn strip_disguises_of(names: &[HeaderName], headers: &mut HeaderMap) {
    if names.is_empty() {
        return;
    }
    let dashed = |name: &HeaderName| name.as_str().replace('_', "-");
    let is_disguise = |sent: &HeaderName| names.iter().any(|name| sent != name && dashed(sent) == dashed(name));
    let disguised: Vec<HeaderName> = headers.keys().filter(|sent| is_disguise(sent)).cloned().collect();
    for name in disguised {
        headers.remove(name);
    }
}

/// Removes from a request's trailers what counts in its head, and `names`. Threat: some servers merge trailers into the headers, so that a
/// credential, a method or a length in a trailer would count after the headers were judged (RFC 9110 §6.5.1).
pub(crate) fn strip_trailers(trailers: &mut HeaderMap, names: &[HeaderName]) {
    strip_hop_by_hop(trailers);
    trailers.remove(TE);
    strip_ours(trailers);
    strip_credentials(trailers);
    strip_disguises_of(names, trailers);
    for name in FRAMING.iter().chain(names) {
        trailers.remove(name);
    }
    for name in policy::OVERRIDING {
        trailers.remove(name);
    }
}

/// Removes from an answer's trailers what does not stand in its head either.
pub(crate) fn strip_trailers_of_answer(trailers: &mut HeaderMap) {
    strip_answer(trailers);
    strip_credentials_of_answer(trailers);
}

/// Removes from an answer what is not for the bottle: other ways to the same host that would go round us (QUIC), a question
/// for a proxy's credential, which browsers would answer, and what only we say. Threat: a host that speaks in our name, so that the
/// agent asks the person for what the host wants.
pub(super) fn strip_answer(headers: &mut HeaderMap) {
    strip_hop_by_hop(headers);
    headers.remove(refusal::HEADER);
    headers.remove(TE);
    headers.remove(ALT_SVC);
    headers.remove(PROXY_AUTHENTICATE);
}

/// Removes from the answer to a request with the person's credential what may be one itself. Threat: a session cookie opens the
/// person's account as their credential does, and the bottle, whose own cookies are not sent there, would carry it elsewhere.
pub(super) fn strip_credentials_of_answer(headers: &mut HeaderMap) {
    headers.remove(SET_COOKIE);
    headers.remove("set-cookie2");
}

/// Every credential in the headers, without the word before it (`Bearer`), as far as headers show them.
pub(super) fn credentials(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let whole = headers.iter().filter(|(name, _)| is_credential(name)).map(|(_, value)| after_scheme(value.as_bytes()));
    // Threat: browsers' WebSocket has no headers of its own, so that some APIs take a key as a subprotocol
    // (`openai-insecure-api-key.KEY`).
    let protocols = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let keys = protocols.map(<[u8]>::trim_ascii).filter_map(|protocol| {
        let at = protocol.windows(4).position(|part| part.eq_ignore_ascii_case(b"key."))?;
        protocol.get(at + 4..)
    });
    whole.chain(keys)
}

/// All that follows the first word. Threat: of two credentials in one header one is judged and the other counts.
fn after_scheme(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    value.iter().position(u8::is_ascii_whitespace).map_or(value, |at| value[at..].trim_ascii_start())
}

/// Whether a comma-separated value holds this token, in any case.
pub(super) fn has_token(value: &HeaderValue, token: &str) -> bool {
    value.to_str().is_ok_and(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
}

/// Headers in the words of policy.
pub(super) struct Sent<'a>(pub(super) &'a HeaderMap);

impl Headers for Sent<'_> {
    fn values<'a>(&'a self, name: &str) -> Box<dyn Iterator<Item = &'a [u8]> + 'a> {
        Box::new(self.0.get_all(name).iter().map(HeaderValue::as_bytes))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::{credentials, strip_answer, strip_disguises_of, strip_hop_by_hop, strip_trailers, strip_trailers_of_answer};

    fn map(fields: &[(&'static str, &str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<&str> = headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_connection_names_goes_but_never_the_framing() {
        let mut headers = map(&[
            ("connection", "close, X-Internal,content-length, host"),
            ("x-internal", "1"),
            ("content-length", "3"),
            ("host", "a.example"),
            ("keep-alive", "timeout=5"),
            ("proxy-authorization", "Basic eDp5"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABk"),
            ("te", "gzip, Trailers"),
            ("accept", "*/*"),
        ]);
        strip_hop_by_hop(&mut headers);
        let mut left = names(&headers);
        left.sort_unstable();
        assert_eq!(left, ["accept", "content-length", "host", "te"]);
        assert_eq!(headers["te"], "trailers");
    }

    #[test]
    fn what_is_written_with_an_underscore_is_no_other_header() {
        let mut headers = map(&[
            ("content_length", "5"),
            ("transfer_encoding", "chunked"),
            ("x_original_url", "/admin"),
            ("x-http_method_override", "DELETE"),
            ("my_header", "1"),
            ("_", "1"),
        ]);
        super::strip_ours(&mut headers);
        assert_eq!(names(&headers), ["_", "my_header"]);
    }

    #[test]
    fn an_answer_names_no_other_way_to_the_host() {
        let mut headers = map(&[
            ("alt-svc", "h3=\":443\""),
            ("proxy-authenticate", "Basic"),
            ("te", "trailers"),
            ("x-bottle-refusal", "egress.host"),
            ("date", "x"),
        ]);
        strip_answer(&mut headers);
        assert_eq!(names(&headers), ["date"]);
    }

    #[test]
    fn trailers_carry_nothing_that_counts_in_a_head() {
        let of_the_rule = ["x-tenant".parse().unwrap(), "x-custom-key".parse().unwrap()];
        let mut trailers = map(&[
            ("x-http-method-override", "DELETE"),
            ("x-original-url", "/admin"),
            ("x_api_key", "theirs"),
            ("authorization", "Bearer theirs"),
            ("te", "trailers"),
            ("host", "evil.example"),
            ("content-length", "7"),
            ("x-tenant", "b"),
            ("x_custom-key", "theirs"),
            ("x-checksum", "1"),
            ("session_id", "2"),
        ]);
        strip_trailers(&mut trailers, &of_the_rule);
        assert_eq!(names(&trailers), ["session_id", "x-checksum"]);
        let mut answer =
            map(&[("x-bottle-refusal", "egress.host"), ("set-cookie", "a=b"), ("alt-svc", "h3"), ("grpc-status", "0")]);
        strip_trailers_of_answer(&mut answer);
        assert_eq!(names(&answer), ["grpc-status"]);
    }

    #[test]
    fn a_header_in_disguise_does_not_stand_beside_the_one_that_was_judged() {
        let mut headers = map(&[("x-tenant", "a"), ("x_tenant", "b"), ("x_other", "c")]);
        strip_disguises_of(&["x-tenant".parse().unwrap()], &mut headers);
        assert_eq!(names(&headers), ["x-tenant", "x_other"]);
    }

    #[test]
    fn credentials_are_found_wherever_headers_carry_them() {
        let headers = map(&[
            ("authorization", "Bearer a"),
            ("x-api-key", "b"),
            ("cookie", "sid=c"),
            ("sec-websocket-protocol", "realtime, openai-insecure-api-key.d"),
            ("accept", "e"),
        ]);
        let found: Vec<&[u8]> = credentials(&headers).collect();
        assert_eq!(found, [b"a".as_slice(), b"b", b"sid=c", b"d"]);
        for value in ["Bearer theirs ours", "Bearer  theirs\tours", "Bearer theirs, Bearer ours"] {
            let headers = map(&[("authorization", value)]);
            assert!(credentials(&headers).all(|found| found.starts_with(b"theirs") && found.ends_with(b"ours")), "{value}");
        }
    }
}
