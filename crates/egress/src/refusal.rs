use http::StatusCode;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::Response;
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
pub(crate) fn answer(refusal: &Refusal, status: StatusCode, after: After) -> Response<AnswerBody> {
    let mut answer = Response::new(AnswerBody::said(body(refusal)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(HEADER, HeaderValue::from_static(refusal.code.as_str()));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if after == After::Close {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// The whole answer in bytes, for a connection whose HTTP/1 server has given up.
pub(crate) fn raw(refusal: &Refusal) -> Vec<u8> {
    let (status, body) = (status(refusal.code), body(refusal));
    let head = format!(
        "HTTP/1.1 {status}\r\n{HEADER}: {code}\r\ncontent-type: application/json\r\ncache-control: no-store\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n",
        code = refusal.code,
        length = body.len(),
    );
    (head + &body).into_bytes()
}

fn body(refusal: &Refusal) -> String {
    let mut body = json!({ "code": refusal.code.as_str(), "message": refusal.message, "hint": refusal.hint });
    if let Some(rule) = &refusal.rule {
        body["rule"] = json!(rule.to_string());
    }
    body.to_string() + "\n"
}
