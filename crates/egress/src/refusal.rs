use http::StatusCode;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use hyper::Response;
use hyper::ext::ReasonPhrase;
use policy::{Code, Refusal};
use serde_json::json;

use crate::answer::AnswerBody;

/// The header that carries the code.
pub(crate) const HEADER: &str = "x-bottle-refusal";

/// What becomes of an HTTP/1 connection after the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// The next request may follow.
    Open,
    /// It is closed, and the answer says so.
    Close,
}

/// Who reads the body of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Any program: JSON.
    Program,
    /// git, which shows a body to the person if it is plain text, and nothing of any other.
    Git,
}

impl Reader {
    /// Whose request it is, as far as it says.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let is_git = headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(b"git/"));
        if is_git { Self::Git } else { Self::Program }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Program => "application/json",
            Self::Git => "text/plain",
        })
    }
}

/// A refusal that needs no more words than its code has.
pub(crate) fn plain(code: Code) -> Refusal {
    because(code, code.summary().to_owned())
}

/// A refusal with a reason of its own.
pub(crate) fn because(code: Code, message: String) -> Refusal {
    Refusal { code, message, hint: code.mend().to_owned(), rule: None }
}

/// The status that tells a program what kind of refusal it is (RFC 9110 §15).
pub(crate) fn status(code: Code) -> StatusCode {
    match code {
        Code::BadRequest => StatusCode::BAD_REQUEST,
        Code::Authority => StatusCode::MISDIRECTED_REQUEST,
        Code::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Code::Busy => StatusCode::TOO_MANY_REQUESTS,
        Code::Name | Code::UpstreamUnreachable | Code::UpstreamCertificate | Code::UpstreamProtocol => StatusCode::BAD_GATEWAY,
        Code::HostNotAllowed
        | Code::PortNotAllowed
        | Code::RequestNotAllowed
        | Code::AmbiguousPath
        | Code::PlaintextCredential
        | Code::Protocol
        | Code::Upgrade
        | Code::PrivateAddress
        | Code::Address
        | Code::ForeignCredential
        | Code::NoCredential
        | Code::GitPush
        | Code::Unrecorded => StatusCode::FORBIDDEN,
    }
}

/// The answer.
pub(crate) fn answer(refusal: &Refusal, status: StatusCode, after: After, reader: Reader) -> Response<AnswerBody> {
    let mut answer = Response::new(AnswerBody::said(body(refusal, reader)));
    *answer.status_mut() = status;
    if let Ok(phrase) = ReasonPhrase::try_from(phrase(refusal)) {
        answer.extensions_mut().insert(phrase);
    }
    let headers = answer.headers_mut();
    headers.insert(HEADER, HeaderValue::from_static(refusal.code.as_str()));
    headers.insert(CONTENT_TYPE, reader.content_type());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if after == After::Close {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// The whole answer in bytes, for a connection whose HTTP/1 server has given up.
pub(crate) fn raw(refusal: &Refusal) -> Vec<u8> {
    let (status, body) = (status(refusal.code), body(refusal, Reader::Program));
    let head = format!(
        "HTTP/1.1 {status} {phrase}\r\n{HEADER}: {code}\r\ncontent-type: application/json\r\ncache-control: no-store\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n",
        status = status.as_str(),
        phrase = phrase(refusal),
        code = refusal.code,
        length = body.len(),
    );
    (head + &body).into_bytes()
}

/// Longest phrase: apt takes no line of more than 359 bytes.
const PHRASE_MAX: usize = 200;

/// What stands behind the status (RFC 9112 §4): all that pip, npm, wget, Java and Go show of an answer to CONNECT.
fn phrase(refusal: &Refusal) -> String {
    let text = format!("{}: {}", refusal.code, refusal.message);
    text.chars().take(PHRASE_MAX).map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
}

fn body(refusal: &Refusal, reader: Reader) -> String {
    let Refusal { code, message, hint, rule } = refusal;
    match reader {
        Reader::Git => format!("{code}: {message}\nhint: {hint}\n"),
        Reader::Program => {
            let mut body = json!({ "code": code.as_str(), "message": message, "hint": hint });
            if let Some(rule) = rule {
                body["rule"] = json!(rule.without_folder().to_string());
            }
            body.to_string() + "\n"
        }
    }
}

#[cfg(test)]
mod tests {
    use policy::{Code, Refusal};

    use super::{PHRASE_MAX, phrase, raw};

    #[test]
    fn the_status_line_says_why_and_stays_one_short_line_of_ascii() {
        let message = format!("\u{e4}\r\n\u{1b}[31m{}", "x".repeat(PHRASE_MAX));
        let refusal = Refusal { code: Code::HostNotAllowed, message, hint: String::new(), rule: None };
        let phrase = phrase(&refusal);
        assert!(phrase.starts_with("egress.host: ????[31mxx") && phrase.len() == PHRASE_MAX, "{phrase}");
        let raw = String::from_utf8(raw(&refusal)).unwrap();
        assert_eq!(raw.lines().next(), Some(&*format!("HTTP/1.1 403 {phrase}")));
    }
}
