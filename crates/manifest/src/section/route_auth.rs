use policy::{Auth, HeaderName, Scheme, SchemeError, UserName};

use super::token_ref;
use crate::read::{GoneKey, KeyDoc, Reader, Section};
use crate::yaml::Node;

pub(crate) const SECTION: Section = Section {
    path: "egress.routes[].auth",
    what: "`auth`",
    about: "A credential of the host: `scheme` for `Authorization`, or `header` for APIs with a header of their own; one of the two.",
    keys: &[
        KeyDoc {
            name: "scheme",
            kind: "`Bearer`, `token` or `Basic`",
            default: "—",
            about: "Sends `Authorization: SCHEME CREDENTIAL`; with `Basic`, user and credential in base64 (RFC 7617).",
            example: "Bearer",
        },
        KeyDoc {
            name: "user",
            kind: "name of a user",
            default: "—",
            about: "Who asks, with `scheme: Basic`; the credential is the password. Forges take tokens so, most with any name.",
            example: "x-access-token",
        },
        KeyDoc {
            name: "header",
            kind: "name of a header",
            default: "—",
            about: "Sends `HEADER: CREDENTIAL`.",
            example: "x-api-key",
        },
        KeyDoc {
            name: "token_ref",
            kind: "credential",
            default: "required",
            about: "Where the host finds the credential; never the credential itself. Written as [`token_ref`](#token_ref).",
            example: "API_TOKEN",
        },
    ],
    gone: &[GoneKey {
        name: "token",
        why: "does not exist",
        instead: "write `token_ref: VARIABLE`, the name of a host variable; a credential never stands in a manifest",
    }],
};

pub(crate) fn read(reader: Reader<'_>, node: &Node) -> Option<Auth> {
    let fields = reader.map(node, &SECTION)?;
    if fields.is_empty() {
        reader.report(
            reader
                .error(&node.span, "`auth` says nothing")
                .help("write `auth: {scheme: Bearer, token_ref: VARIABLE}`, or remove it"),
        );
        return None;
    }
    if fields.get("token_ref").is_none() {
        fields.missing(reader, "token_ref", &SECTION);
    }
    let found = fields.get("token_ref").and_then(|node| token_ref::read(reader, node, "`token_ref`"));
    let user = fields.get("user").and_then(|user| reader.parsed(user, "`user`", UserName::parse));
    match (fields.get("scheme"), fields.get("header")) {
        (Some(scheme), None) => match (reader.parsed(scheme, "`scheme`", Word::parse)?, fields.get("user")) {
            (Word::Scheme(scheme), None) => Some(Auth::Scheme { scheme, token_ref: found? }),
            (Word::Basic, Some(_)) => Some(Auth::Basic { user: user?, token_ref: found? }),
            (Word::Basic, None) => {
                fields.missing(reader, "user", &SECTION);
                None
            }
            (Word::Scheme(_), Some(user)) => lone_user(reader, user),
        },
        (None, Some(_)) if fields.get("user").is_some() => lone_user(reader, fields.get("user")?),
        (None, Some(header)) => {
            let header = reader.parsed(header, "`header`", injectable);
            Some(Auth::Header { header: header?, token_ref: found? })
        }
        (Some(_), Some(_)) | (None, None) => {
            reader.report(
                reader
                    .error(&fields.place(), "`auth` needs either `scheme` or `header`")
                    .help("write `scheme: Bearer`, or `header: x-api-key`"),
            );
            None
        }
    }
}

/// What `scheme` may say.
enum Word {
    Scheme(Scheme),
    Basic,
}

impl Word {
    fn parse(text: &str) -> Result<Self, SchemeError> {
        if text.eq_ignore_ascii_case("Basic") { Ok(Self::Basic) } else { Scheme::parse(text).map(Self::Scheme) }
    }
}

fn lone_user(reader: Reader<'_>, user: &Node) -> Option<Auth> {
    reader.report(reader.error(&user.span, "`user` belongs to `scheme: Basic`").help("write `scheme: Basic`, or remove `user`"));
    None
}

fn injectable(text: &str) -> Result<HeaderName, String> {
    let header = HeaderName::parse(text).map_err(|error| error.to_string())?;
    if header.is_framing() {
        Err(format!("the header `{header}` frames the message and cannot carry a credential"))
    } else {
        Ok(header)
    }
}
