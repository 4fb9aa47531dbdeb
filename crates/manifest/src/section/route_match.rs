use policy::{HeaderMatch, HeaderName, HeaderValue, Method, PathMatch, PathMatchKind, PathRegex, PathValue, RequestMatch};

use crate::read::{KeyDoc, Reader, Section};
use crate::yaml::{Kind, Node};

pub(crate) const SECTION: Section = Section {
    path: "egress.routes[].matches[]",
    what: "a match",
    about: "One kind of request: a request must meet every key that is there.",
    keys: &[
        KeyDoc {
            name: "paths",
            kind: "list of maps",
            default: "all",
            about: "Paths, one of which must fit.",
            example: "[{type: prefix, value: /v1}]",
        },
        KeyDoc {
            name: "methods",
            kind: "list of methods",
            default: "all",
            about: "Methods, one of which must fit; case does not matter.",
            example: "[GET, HEAD]",
        },
        KeyDoc {
            name: "headers",
            kind: "list of maps",
            default: "none",
            about: "Headers, all of which must be there.",
            example: "[{name: X-Api-Version, value: \"2\"}]",
        },
    ],
    gone: &[],
};

pub(crate) const PATH: Section = Section {
    path: "egress.routes[].matches[].paths[]",
    what: "a path",
    about: "Paths are compared after percent-decoding and removal of `.` and `..`.",
    keys: &[
        KeyDoc {
            name: "type",
            kind: "`exact`, `prefix` or `regex`",
            default: "required",
            about: "`prefix` compares whole segments: `/api` covers `/api/x`, not `/apiary`. `regex` must match the whole path.",
            example: "prefix",
        },
        KeyDoc { name: "value", kind: "text", default: "required", about: "The path or regular expression.", example: "/api/v1" },
    ],
    gone: &[],
};

pub(crate) const HEADER: Section = Section {
    path: "egress.routes[].matches[].headers[]",
    what: "a header",
    about: "A header that a request must carry.",
    keys: &[
        KeyDoc {
            name: "name",
            kind: "text",
            default: "required",
            about: "Its name; case does not matter.",
            example: "X-Api-Version",
        },
        KeyDoc {
            name: "value",
            kind: "text, or list of texts",
            default: "required",
            about: "Its value, or values one of which it must have.",
            example: "\"2\"",
        },
    ],
    gone: &[],
};

pub(crate) fn read(reader: Reader<'_>, node: &Node) -> Option<RequestMatch> {
    let fields = reader.map(node, &SECTION)?;
    if fields.is_empty() {
        // An empty match allows every request, which nobody writes on purpose beside others.
        reader.report(
            reader
                .error(&node.span, "a match says nothing")
                .help("write `paths`, `methods` or `headers`, or remove `matches` to allow all requests"),
        );
        return None;
    }
    for (key, value) in fields.entries() {
        if SECTION.keys.iter().any(|doc| doc.name == key.name) && reader.list_is_empty(value) {
            reader.report(
                reader.error(&key.span, format!("`{}` is empty: no request could fit", key.name)).help("remove it to allow all"),
            );
        }
    }
    let paths = fields.get("paths").and_then(|node| reader.each(node, "`paths`", |item| path(reader, item)));
    let methods = fields
        .get("methods")
        .and_then(|node| reader.each(node, "`methods`", |item| reader.parsed(item, "method", Method::parse)));
    let headers =
        fields.get("headers").and_then(|node| reader.each(node, "`headers`", |item| header(reader, item))).unwrap_or_default();
    for (index, header) in headers.iter().enumerate() {
        if headers[..index].iter().any(|earlier| earlier.name == header.name) {
            let message = format!("the header `{}` is named twice in one match", header.name);
            reader.report(reader.error(&fields.place(), message).help("write one entry with a list of values"));
        }
    }
    Some(RequestMatch { paths: paths.unwrap_or_default(), methods: methods.unwrap_or_default(), headers })
}

fn path(reader: Reader<'_>, node: &Node) -> Option<PathMatch> {
    let fields = reader.map(node, &PATH)?;
    for required in ["type", "value"] {
        if fields.get(required).is_none() {
            fields.missing(reader, required, &PATH);
        }
    }
    let words = PathMatchKind::ALL.map(|kind| (kind.as_str(), kind));
    let kind = reader.word(fields.get("type")?, "type of paths", &words)?;
    let value = fields.get("value")?;
    match kind {
        PathMatchKind::Exact => reader.parsed(value, "`value`", PathValue::parse).map(PathMatch::Exact),
        PathMatchKind::Prefix => reader.parsed(value, "`value`", PathValue::parse).map(PathMatch::Prefix),
        PathMatchKind::Regex => reader.parsed(value, "`value`", PathRegex::parse).map(PathMatch::Regex),
    }
}

fn header(reader: Reader<'_>, node: &Node) -> Option<HeaderMatch> {
    let fields = reader.map(node, &HEADER)?;
    for required in ["name", "value"] {
        if fields.get(required).is_none() {
            fields.missing(reader, required, &HEADER);
        }
    }
    let name = reader.parsed(fields.get("name")?, "`name`", matchable);
    let value = fields.get("value")?;
    let one = |node: &Node| reader.parsed(node, "`value`", HeaderValue::parse);
    let values = match &value.kind {
        Kind::List(items) => items.iter().filter_map(one).collect(),
        Kind::Scalar(_) | Kind::Map(_) => one(value).into_iter().collect::<Vec<_>>(),
    };
    if reader.list_is_empty(value) {
        reader.report(reader.error(&value.span, "`value` is empty: no request could fit").help("write at least one value"));
    }
    Some(HeaderMatch { name: name?, values })
}

/// Headers that frame the message are made anew on the way out: what the agent sent there says nothing.
fn matchable(text: &str) -> Result<HeaderName, String> {
    let header = HeaderName::parse(text).map_err(|error| error.to_string())?;
    if header.is_framing() { Err(format!("the header `{header}` frames the message and cannot be matched")) } else { Ok(header) }
}
