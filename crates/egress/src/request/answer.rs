use std::sync::Arc;

use http::header::{CONTENT_LENGTH, HOST, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use hyper::body::{Body as _, Incoming};
use policy::{Code, LogLevel, Reach, Refusal, Shown};

use super::forward::forward;
use super::wanted::{Wanted, wanted};
use crate::Limits;
use crate::answer::AnswerBody;
use crate::connection::{Busy, Connection, Next};
use crate::ledger::Said;
use crate::place::{Named, Place};
use crate::records::Refused;
use crate::refusal::{self, After, Reader};
use crate::written::{Open, Written};

/// What may become of a request that does not pass.
pub(super) struct Denied {
    pub(super) refusal: Refusal,
    /// `GET example.org`
    pub(super) asked: String,
    pub(super) status: StatusCode,
}

impl Denied {
    pub(super) fn new(refusal: Refusal, asked: String) -> Self {
        let status = refusal::status(refusal.code);
        Self { refusal, asked, status }
    }
}

/// Answers one request: with the other end's answer, or with a refusal.
pub(crate) async fn answer(connection: &Arc<Connection>, request: Request<Incoming>) -> Response<Written> {
    let (version, reader) = (request.version(), Reader::of(request.headers()));
    let is_head = request.method() == Method::HEAD;
    let open = Arc::clone(&connection.shared.requests).try_acquire_owned().map(Arc::new).ok();
    let judged = match &open {
        Some(open) => judged(connection, request, open).await,
        // Refused rather than kept waiting: what waits takes memory too.
        None => Err(Denied::new(refusal::plain(Code::Busy), asked_of(&request))),
    };
    let answer = judged.unwrap_or_else(|denied| refused(connection, &denied, version, reader));
    let answer = if is_head { answer_to_head(answer) } else { answer };
    let end = open.filter(|_| version >= Version::HTTP_2);
    answer.map(|body| Written::new(body, connection.shared.in_flight.turn(), end))
}

/// Without our own words (RFC 9110 §9.3.2). hyper leaves them out in HTTP/1 alone, and in HTTP/2 a client takes them for a fault of
/// the protocol.
fn answer_to_head(answer: Response<AnswerBody>) -> Response<AnswerBody> {
    let (mut parts, body) = answer.into_parts();
    let body = match body {
        AnswerBody::Said(_) | AnswerBody::Internal(_) => {
            if let Some(length) = body.size_hint().exact() {
                parts.headers.entry(CONTENT_LENGTH).or_insert(length.into());
            }
            AnswerBody::Said(None)
        }
        AnswerBody::Passed(..) => body,
    };
    Response::from_parts(parts, body)
}

async fn judged(connection: &Arc<Connection>, request: Request<Incoming>, open: &Open) -> Result<Response<AnswerBody>, Denied> {
    let busy = Busy::new(&connection.gate, Arc::clone(open));
    if is_too_large(&request, &connection.shared.limits) {
        return Err(Denied::new(refusal::plain(Code::TooLarge), asked_of(&request)));
    }
    match wanted(&connection.entry, &request) {
        Err(refusal) => Err(Denied::new(refusal, asked_of(&request))),
        Ok(Wanted::Tunnel(place)) => {
            tunnel(connection, &place).map_err(|refusal| Denied::new(refusal, format!("CONNECT {}", shown(&place))))?;
            connection.becomes(Next::Tunnel(place));
            Ok(Response::new(AnswerBody::Said(None)))
        }
        Ok(Wanted::There(place)) => to(connection, place, request, busy).await,
        Ok(Wanted::Here(place)) => to(connection, &place, request, busy).await,
    }
}

/// A head above the limits, which HTTP/2 alone brings so far: before an HTTP/1 server stands the guard. Counted as RFC 9113 §6.5.2 does,
/// without the pseudo-headers that are left out elsewhere.
fn is_too_large(request: &Request<Incoming>, limits: &Limits) -> bool {
    const FOR_EACH: usize = 32;
    if request.version() < Version::HTTP_2 {
        return false;
    }
    let uri = request.uri();
    let place = uri.authority().map_or(0, |authority| authority.as_str().len());
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + FOR_EACH).sum::<usize>();
    request.headers().len() > limits.headers || place + path + fields > limits.head_bytes
}

async fn to(
    connection: &Arc<Connection>,
    place: &Place,
    mut request: Request<Incoming>,
    busy: Busy,
) -> Result<Response<AnswerBody>, Denied> {
    match &place.named {
        Named::Reserved(name) => {
            if let Ok(host) = HeaderValue::from_str(&place.authority) {
                request.headers_mut().insert(HOST, host);
            }
            let asked = format!("{} {name}", Shown(request.method().as_str()));
            let answer = connection.shared.internals.answer(name, &connection.shared, request).await;
            // Not for ever, as a 403 would say: another bottle has it.
            answer.map_err(|refusal| Denied { status: StatusCode::SERVICE_UNAVAILABLE, ..Denied::new(refusal, asked) })
        }
        Named::Host(host) => {
            let said = Said {
                method: request.method().clone(),
                to: place.to_string(),
                path: match connection.shared.log {
                    LogLevel::Off => None,
                    LogLevel::Refusals | LogLevel::Everything => Some(request.uri().path().to_owned()),
                },
            };
            forward(connection, place, host, request, said, busy).await
        }
    }
}

/// A tunnel to a host that the bottle may reach; what goes through it is judged as it comes.
fn tunnel(connection: &Connection, place: &Place) -> Result<(), Refusal> {
    match &place.named {
        Named::Reserved(_) => Ok(()),
        Named::Host(host) => match connection.shared.table().reach(host, place.port) {
            Reach::Intercept(_) | Reach::Passthrough(_) => Ok(()),
            Reach::Refuse(refusal) => Err(refusal),
        },
    }
}

fn refused(connection: &Connection, denied: &Denied, version: Version, reader: Reader) -> Response<AnswerBody> {
    let Denied { refusal, asked, status } = denied;
    let after = match refusal.code {
        // The bytes behind such a request cannot be trusted to be a request; nor those behind a refused CONNECT.
        Code::BadRequest | Code::TooLarge => After::Close,
        _ if asked.starts_with("CONNECT ") => After::Close,
        _ => After::Open,
    };
    let after = if version < Version::HTTP_2 { after } else { After::Open };
    if connection.gate.violation().is_none() || connection.gate.tell() {
        let destination = &connection.destination;
        connection.shared.records.refused(Refused { refusal, destination, kind: "http", asked: asked.clone() });
    }
    refusal::answer(refusal, *status, after, reader)
}

/// Method and host alone. A path, a query or user information may hold a secret.
fn asked_of(request: &Request<Incoming>) -> String {
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    let host = authority.or_else(|| request.headers().get(HOST).and_then(|host| host.to_str().ok())).unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{} {}", Shown(request.method().as_str()), Shown(host)).trim_end().to_owned()
}

fn shown(place: &Place) -> String {
    format!("{}:{}", place.authority.strip_suffix(&format!(":{}", place.port)).unwrap_or(&place.authority), place.port)
}
