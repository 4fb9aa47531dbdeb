use policy::{Code, HeaderName, HeaderValue, Method, UrlTarget};

use crate::read::{KeyDoc, Reader, Section};
use crate::yaml::{Kind, Node};
use crate::{Case, Expectations, Expected};

pub(crate) const SECTION: Section = Section {
    path: "",
    what: "a file of expectations",
    about: "Whose policy is tested, and by what.",
    keys: &[
        KeyDoc { name: "agent", kind: "name", default: "required", about: "The agent.", example: "fixer" },
        KeyDoc {
            name: "bottles",
            kind: "list of names",
            default: "the agent's own",
            about: "The bottles it runs in, merged in order, as with `--bottle`.",
            example: "[work]",
        },
        KeyDoc {
            name: "cases",
            kind: "list of maps",
            default: "required",
            about: "Requests and what must become of them.",
            example: "[{url: https://api.example.org/, expect: allow}]",
        },
    ],
    gone: &[],
};

pub(crate) const CASE: Section = Section {
    path: "cases[]",
    what: "a case",
    about: "One request. Nothing is sent.",
    keys: &[
        KeyDoc {
            name: "url",
            kind: "URL",
            default: "required",
            about: "Where it goes, `http` or `https`.",
            example: "https://api.example.org/v1/items",
        },
        KeyDoc {
            name: "method",
            kind: "text",
            default: "`GET`",
            about: "The method as it is sent: `get` is another than `GET`.",
            example: "POST",
        },
        KeyDoc {
            name: "headers",
            kind: "map of names to texts or lists of texts",
            default: "`{}`",
            about: "Headers that are sent; several values are several lines.",
            example: "{X-Api-Version: \"2\"}",
        },
        KeyDoc {
            name: "expect",
            kind: "`allow` or `refuse`",
            default: "required",
            about: "What must become of it.",
            example: "refuse",
        },
        KeyDoc {
            name: "code",
            kind: "code of a refusal",
            default: "any",
            about: "With `expect: refuse`: the code that it must be refused with; see [refusals](refusals.md).",
            example: "egress.host",
        },
    ],
    gone: &[],
};

/// The codes that a request can be refused with before anything is sent.
const JUDGED: [Code; 6] = [
    Code::HostNotAllowed,
    Code::PortNotAllowed,
    Code::RequestNotAllowed,
    Code::AmbiguousPath,
    Code::PlaintextCredential,
    Code::GitPush,
];

/// Reads a whole file.
pub(crate) fn read(reader: Reader<'_>, root: &Node) -> Option<Expectations> {
    let fields = reader.map(root, &SECTION)?;
    for key in ["agent", "cases"] {
        if fields.get(key).is_none() {
            fields.missing(reader, key, &SECTION);
        }
    }
    let text = |node: &Node, what| reader.text(node, what).map(ToOwned::to_owned);
    let agent = fields.get("agent").and_then(|node| text(node, "`agent`"));
    let bottles = fields.get("bottles").and_then(|node| reader.each(node, "`bottles`", |item| text(item, "a bottle")));
    let cases = fields.entry("cases").and_then(|(key, node)| {
        if reader.list_is_empty(node) {
            reader.report(reader.error(&key.span, "`cases` is empty: nothing would be tested").help("write at least one case"));
        }
        reader.each(node, "`cases`", |item| case(reader, item))
    });
    Some(Expectations { agent: agent?, bottles: bottles.unwrap_or_default(), cases: cases? })
}

fn case(reader: Reader<'_>, node: &Node) -> Option<Case> {
    let fields = reader.map(node, &CASE)?;
    for key in ["url", "expect"] {
        if fields.get(key).is_none() {
            fields.missing(reader, key, &CASE);
        }
    }
    let url = fields
        .get("url")
        .and_then(|node| reader.parsed(node, "`url`", |text| UrlTarget::parse(text).map(|url| (text.to_owned(), url))));
    let method = match fields.get("method") {
        None => Some("GET".to_owned()),
        Some(node) => reader.parsed(node, "method", |text| Method::parse(text).map(|_| text.to_owned())),
    };
    let headers = fields.get("headers").map(|node| headers(reader, node)).unwrap_or_default();
    let code = fields.entry("code").map(|(key, node)| {
        let codes = JUDGED.map(|code| (code.as_str(), code));
        (key, reader.word(node, "code", &codes))
    });
    let expected =
        match fields.get("expect").and_then(|node| reader.word(node, "expectation", &[("allow", true), ("refuse", false)])) {
            Some(true) => {
                if let Some((key, _)) = code {
                    reader.report(reader.error(&key.span, "`code` is for `expect: refuse` alone").help("remove it"));
                }
                Some(Expected::Allow)
            }
            Some(false) => Some(Expected::Refuse(code.and_then(|(_, code)| code))),
            None => None,
        };
    let (text, url) = url?;
    let line = reader.source.line(node.span.start);
    let before = reader.source.text().get(reader.source.line_range(line).start..node.span.start);
    let column = before.map_or(1, |before| before.chars().count() + 1);
    Some(Case { text, url, method: method?, headers, expected: expected?, line, column })
}

fn headers(reader: Reader<'_>, node: &Node) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = Vec::new();
    for (key, node) in
        reader.free_map(node, "`headers`", "X-Api-Version: \"2\"").map(|fields| fields.entries()).unwrap_or_default()
    {
        let name = HeaderName::parse(&key.name).map_err(|error| reader.report(reader.error(&key.span, error.to_string())));
        let Ok(name) = name else { continue };
        let value = |node: &Node| reader.parsed(node, "header value", HeaderValue::parse).map(|value| (name.clone(), value));
        match &node.kind {
            Kind::List(items) => headers.extend(items.iter().filter_map(value)),
            Kind::Scalar(_) | Kind::Map(_) => headers.extend(value(node)),
        }
    }
    headers
}
