use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};

use super::page::Page;
use crate::answer::AnswerBody;
use crate::shared::Shared;

/// Where an agent reads what it may do.
pub(super) const NAME: &str = "policy.bottle.internal";

/// What is allowed here and what was refused: as JSON under `/policy.json` or where `Accept` asks for it, as text elsewhere.
pub(super) fn answer<B>(shared: &Shared, request: &Request<B>) -> Response<AnswerBody> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut answer = Response::new(AnswerBody::said("only GET is answered here\n"));
        *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    let page = Page::of(&shared.table(), shared.records.recent());
    let (kind, body) = match form(request) {
        Form::Json => ("application/json", page.json()),
        Form::Text => ("text/plain; charset=utf-8", page.to_string()),
    };
    let mut answer = Response::new(AnswerBody::said(body));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

enum Form {
    Json,
    Text,
}

fn form<B>(request: &Request<B>) -> Form {
    let asks = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let asks = asks.is_some_and(|accept| accept.to_ascii_lowercase().contains("application/json"));
    if asks || request.uri().path() == "/policy.json" { Form::Json } else { Form::Text }
}
