use std::ops::Range;

use policy::{Cidr, HostPattern, Route, RouteConflict, TlsMode};

use super::{route_auth, route_dlp, route_match};
use crate::DeclaredRoute;
use crate::read::{Fields, GoneKey, KeyDoc, Reader, Section};
use crate::yaml::{Key, Kind, Node, Scalar};

pub(crate) const SECTION: Section = Section {
    path: "egress.routes[]",
    what: "a route",
    about: "One host, or all names below one.",
    keys: &[
        KeyDoc {
            name: "host",
            kind: "host, or `*.SUFFIX`",
            default: "required",
            about: "The host, without scheme, port or path. `*.example.org` stands for all names below example.org, not for itself.",
            example: "api.example.org",
        },
        KeyDoc {
            name: "matches",
            kind: "list of maps",
            default: "all requests",
            about: "Requests that are allowed; one entry that fits is enough.",
            example: "[{methods: [GET], paths: [{type: prefix, value: /v1}]}]",
        },
        KeyDoc {
            name: "auth",
            kind: "map",
            default: "none",
            about: "A credential that is put into requests outside the bottle. What the agent sends in its place is removed.",
            example: "{scheme: Bearer, token_ref: API_TOKEN}",
        },
        KeyDoc {
            name: "tls",
            kind: "`intercept` or `passthrough`",
            default: "`intercept`",
            about: "`passthrough` leaves requests unopened: the host's name alone is checked. Not together with `matches`, `auth` or `dlp`.",
            example: "passthrough",
        },
        KeyDoc {
            name: "addresses",
            kind: "list of CIDR blocks",
            default: "`[]`",
            about: "Addresses that the host may have although they are private.",
            example: "[10.20.0.0/16]",
        },
        KeyDoc {
            name: "ports",
            kind: "list of numbers",
            default: "443 with TLS, 80 without",
            about: "Ports that may be reached, 1 to 65535, at most 16: these and no others.",
            example: "[8443]",
        },
        KeyDoc {
            name: "dial",
            kind: "address and port",
            default: "—",
            about: "Where to connect instead of looking the host up, for services on your own machine or network. Private and loopback addresses are allowed here, because you wrote it; the host's certificate is checked all the same. Not together with `addresses`.",
            example: "127.0.0.1:8443",
        },
        KeyDoc {
            name: "dlp",
            kind: "map",
            default: "`{}`",
            about: "Scanning for secrets on this route.",
            example: "{outbound_on_match: block}",
        },
    ],
    gone: &[
        GoneKey {
            name: "path_allowlist",
            why: "was replaced by `matches`",
            instead: "write `matches: [{paths: [{type: prefix, value: /api}]}]`",
        },
        GoneKey {
            name: "role",
            why: "does not exist any more",
            instead: "remove it; what a provider needs is part of its template",
        },
        GoneKey {
            name: "pipelock",
            why: "was replaced by `tls` and `addresses`",
            instead: "write `tls: passthrough` for `tls_passthrough`, `addresses: […]` for `ssrf_ip_allowlist`",
        },
        GoneKey { name: "port", why: "is called `ports`", instead: "write `ports: [NUMBER]`" },
        GoneKey { name: "methods", why: "stands in `matches`", instead: "write `matches: [{methods: […]}]`" },
        GoneKey {
            name: "paths", why: "stands in `matches`", instead: "write `matches: [{paths: [{type: prefix, value: …}]}]`"
        },
        GoneKey {
            name: "headers", why: "stands in `matches`", instead: "write `matches: [{headers: [{name: …, value: …}]}]`"
        },
        GoneKey { name: "token_ref", why: "stands in `auth`", instead: "write `auth: {scheme: Bearer, token_ref: …}`" },
    ],
};

pub(crate) fn read(reader: Reader<'_>, node: &Node) -> Option<DeclaredRoute> {
    let fields = reader.map(node, &SECTION)?;
    if fields.get("host").is_none() {
        fields.missing(reader, "host", &SECTION);
    }
    let words = TlsMode::ALL.map(|mode| (mode.as_str(), mode));
    let host = fields.get("host").and_then(|node| reader.parsed(node, "`host`", HostPattern::parse));
    let matches = fields.get("matches").and_then(|node| reader.each(node, "`matches`", |item| route_match::read(reader, item)));
    let auth = fields.get("auth").and_then(|node| route_auth::read(reader, node));
    let tls = fields.get("tls").and_then(|node| reader.word(node, "TLS mode", &words));
    let addresses = fields
        .get("addresses")
        .and_then(|node| reader.each(node, "`addresses`", |item| reader.parsed(item, "address", Cidr::parse)));
    let ports = fields.entry("ports").and_then(|(key, node)| ports(reader, key, node));
    let dial = fields.get("dial").and_then(|node| reader.parsed(node, "`dial`", policy::parse_dial));
    let dlp = fields.get("dlp").and_then(|node| route_dlp::read(reader, node));
    let route = Route {
        host: host?,
        matches: matches.unwrap_or_default(),
        auth,
        tls: tls.unwrap_or_default(),
        addresses: addresses.unwrap_or_default(),
        ports: ports.unwrap_or_default(),
        dial,
        dlp,
    };
    conflicts(reader, fields, &route);
    Some(DeclaredRoute { route, file: reader.source.path().to_owned(), line: reader.source.line(node.span.start) })
}

/// Where a route names its host.
pub(crate) fn host_place(node: &Node) -> Range<usize> {
    match &node.kind {
        Kind::Map(entries) => Fields::new(node, entries).get("host").map_or_else(|| node.span.clone(), |host| host.span.clone()),
        Kind::List(_) | Kind::Scalar(_) => node.span.clone(),
    }
}

/// Most ports of one route.
const MAX_PORTS: usize = 16;

fn ports(reader: Reader<'_>, key: &Key, node: &Node) -> Option<Vec<u16>> {
    let mut ports = Vec::new();
    for item in reader.list(node, "`ports`")? {
        let number = match &item.kind {
            Kind::Scalar(Scalar::Int { value, .. }) => value.and_then(|value| u16::try_from(value).ok()).filter(|port| *port > 0),
            Kind::Scalar(_) | Kind::List(_) | Kind::Map(_) => {
                reader.wrong_type(item, "a port", "a number", "write a number from 1 to 65535, such as `ports: [8443]`");
                continue;
            }
        };
        match number {
            None => reader.report(reader.error(&item.span, "not a port: ports are 1 to 65535")),
            Some(port) if ports.contains(&port) => {
                reader.report(reader.error(&item.span, format!("the port {port} is named twice")).help("keep one"))
            }
            Some(port) => ports.push(port),
        }
    }
    if reader.list_is_empty(node) {
        let message = "`ports` is empty: no port could be reached";
        reader.report(reader.error(&key.span, message).help("remove it to allow 443 (TLS) and 80"));
    }
    if ports.len() > MAX_PORTS {
        reader.report(reader.error(&key.span, format!("`ports` names {} ports: at most {MAX_PORTS} are allowed", ports.len())));
    }
    Some(ports)
}

fn conflicts(reader: Reader<'_>, fields: Fields<'_>, route: &Route) {
    for conflict in route.conflicts() {
        let about = match conflict {
            RouteConflict::Unopened(_) => "tls",
            RouteConflict::Dialled => "addresses",
        };
        let place = fields.entry(about).map_or_else(|| fields.place(), |(key, node)| key.span.start..node.span.end);
        reader.report(reader.error(&place, conflict.to_string()));
    }
}
