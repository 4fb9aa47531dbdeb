use std::sync::Arc;

use http::{HeaderMap, HeaderName, Request, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use policy::{Asked, Code, Host, LogLevel, Refusal, Rule, Verdict};

use super::answer::Denied;
use super::change::{self, Change};
use super::credential::{self, Injected};
use super::headers::{self, Sent};
use crate::answer::{AnswerBody, is_over};
use crate::connection::{Busy, Connection, Next, Splice, violated};
use crate::ledger::{Ledger, Said};
use crate::place::Place;
use crate::refusal;
use crate::upstream::{Failure, ResponseBody, Target};
use crate::{RequestBody, state::Shared};

/// Judges a request, settles its credentials, sends it, and gives the answer back as it comes.
pub(super) async fn forward(
    connection: &Arc<Connection>,
    place: &Place,
    host: &Host,
    mut request: Request<Incoming>,
    said: Said,
    busy: Busy,
) -> Result<Response<AnswerBody>, Denied> {
    let shared = &connection.shared;
    let table = shared.table();
    let mut ledger = Ledger::new(Arc::clone(shared), said, Some(busy));
    let denied = |ledger: &mut Ledger, refusal| Denied::new(refusal, asked(ledger.refused(), shared.log));

    let change = match change::change(&request) {
        Ok(change) => change,
        Err(refusal) => return Err(denied(&mut ledger, refusal)),
    };
    headers::strip_hop_by_hop(request.headers_mut());
    headers::strip_ours(request.headers_mut());
    let rule = match judge(shared, &table, place, host, &request) {
        Ok(rule) => rule,
        Err(refusal) => return Err(denied(&mut ledger, refusal)),
    };
    let named = headers::named_by(rule);
    headers::strip_disguises_of(&named, request.headers_mut());
    let injected = match credential::settle(shared, rule, request.headers_mut()).await {
        Ok(injected) => injected,
        Err(refusal) => return Err(denied(&mut ledger, refusal)),
    };
    let target = Target { host: host.clone(), port: place.port, transport: place.transport };
    let sent = match change {
        Change::None => plain(connection, &target, rule, request, named, &ledger).await,
        Change::WebSocket => web_socket(shared, &target, rule, request).await,
    };
    let answer = match sent {
        Ok(answer) => answer,
        // What failed may be the bottle's own request, in the middle of its body.
        Err(failure) => {
            let refusal = connection.gate.violation().map_or_else(|| failure.into(), violated);
            return Err(denied(&mut ledger, refusal));
        }
    };
    ledger.status(answer.status().as_u16());
    if let Some(Injected { auth, secret }) = &injected
        && answer.status() == StatusCode::UNAUTHORIZED
    {
        shared.credentials.rejected(auth.token_ref(), secret).await;
    }
    match answer {
        Answered::Plain(answer) => Ok(passed(answer, injected.as_ref(), ledger)),
        Answered::Changed(mut answer) => {
            let splice = Splice { upstream: hyper::upgrade::on(&mut answer), ledger, host: host.clone(), port: place.port };
            // Before the answer leaves: what follows it is no HTTP.
            connection.gate.open();
            connection.becomes(Next::Splice(Box::new(splice)));
            strip(answer.headers_mut(), injected.as_ref());
            change::say_web_socket(answer.headers_mut());
            Ok(answer.map(|_| AnswerBody::Said(None)))
        }
    }
}

/// What came back.
enum Answered {
    Plain(Response<ResponseBody>),
    /// 101: the connection speaks another protocol now.
    Changed(Response<Incoming>),
}

impl Answered {
    fn status(&self) -> StatusCode {
        match self {
            Self::Plain(answer) => answer.status(),
            Self::Changed(answer) => answer.status(),
        }
    }
}

fn judge<'a, B>(
    shared: &Shared,
    table: &'a policy::Table,
    place: &Place,
    host: &Host,
    request: &Request<B>,
) -> Result<&'a Rule, Refusal> {
    shared.records.ready()?;
    let (method, uri) = (request.method(), request.uri());
    if let Some(refusal) = policy::forbidden_method(method.as_str()) {
        return Err(refusal);
    }
    let headers = Sent(request.headers());
    let asked = Asked {
        transport: place.transport,
        host,
        port: place.port,
        method: method.as_str(),
        path: uri.path(),
        headers: &headers,
    };
    let rule = match table.judge(&asked) {
        Verdict::Allow(rule) => rule,
        Verdict::Refuse(refusal) => return Err(refusal),
    };
    if policy::is_git_push(&asked, uri.query().unwrap_or_default()) {
        return Err(Refusal { rule: Some(rule.origin.clone()), ..refusal::plain(Code::GitPush) });
    }
    Ok(rule)
}

async fn plain(
    connection: &Connection,
    target: &Target,
    rule: &Rule,
    request: Request<Incoming>,
    named: Vec<HeaderName>,
    ledger: &Ledger,
) -> Result<Answered, Failure> {
    let request = request.map(|body| match body.is_end_stream() {
        true => RequestBody::whole(""),
        false => RequestBody::streamed(body, connection.shared.in_flight.turn(), ledger.sent(), named),
    });
    connection.shared.upstreams.send(target, rule, request).await.map(Answered::Plain)
}

/// The bottle's side changes only when the other end has agreed. Threat: a bottle that is told 101 too early speaks past the
/// judge to a server that still reads requests.
async fn web_socket(shared: &Shared, target: &Target, rule: &Rule, request: Request<Incoming>) -> Result<Answered, Failure> {
    let (mut parts, _) = request.into_parts();
    change::ask_for_web_socket(&mut parts.headers);
    let answer = shared.upstreams.upgrade(target, rule, Request::from_parts(parts, RequestBody::whole(""))).await?;
    match answer.status() {
        StatusCode::SWITCHING_PROTOCOLS if change::is_web_socket(answer.headers()) => Ok(Answered::Changed(answer)),
        StatusCode::SWITCHING_PROTOCOLS => Err(Failure {
            code: Code::UpstreamProtocol,
            message: format!("{target} changes to a protocol that was not asked for"),
            hint: Code::UpstreamProtocol.mend().to_owned(),
        }),
        _ => Ok(Answered::Plain(answer.map(ResponseBody::of_http1))),
    }
}

fn passed(answer: Response<ResponseBody>, injected: Option<&Injected<'_>>, mut ledger: Ledger) -> Response<AnswerBody> {
    let (mut parts, body) = answer.into_parts();
    strip(&mut parts.headers, injected);
    // Which version of HTTP the other end spoke is nothing to the bottle's own connection.
    parts.version = http::Version::HTTP_11;
    parts.extensions.clear();
    if is_over(&body) {
        ledger.complete();
    }
    Response::from_parts(parts, AnswerBody::Passed(body, ledger))
}

fn strip(headers: &mut HeaderMap, injected: Option<&Injected<'_>>) {
    headers::strip_answer(headers);
    if injected.is_some() {
        headers::strip_credentials_of_answer(headers);
    }
}

/// `GET example.org`, with the path where the bottle's log asks for it.
fn asked(said: &Said, log: LogLevel) -> String {
    let authority = said.to.split_once("://").map_or(said.to.as_str(), |(_, authority)| authority);
    let path = match log {
        LogLevel::Off => None,
        LogLevel::Refusals | LogLevel::Everything => said.path.as_deref(),
    };
    format!("{} {authority}{}", said.method, path.unwrap_or_default())
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let Failure { code, message, hint } = failure;
        Self { code, message, hint, rule: None }
    }
}
