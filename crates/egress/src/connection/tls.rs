use std::sync::Arc;

use bytes::Bytes;
use policy::{Code, Host, Reach, Refusal, Rule, Table, Transport};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::inside::Arrived;
use super::serve::{ACCESS_DENIED, Wire, refuse};
use super::splice::{Counted, splice};
use super::{Connection, Entry, Next, http1, http2};
use crate::ledger::{Ledger, Said};
use crate::opening::{ClientHello, HELLO_MAX, Hello, More, Prefixed, client_hello};
use crate::place::{Named, Place};
use crate::refusal;
use crate::upstream::Target;

/// Serves TLS: ended here, or passed on unopened, as the table says of the host that the client names.
pub(super) async fn tls(arrived: Arrived, mut wire: Wire) {
    let place = Place::new(Transport::Tls, arrived.named.clone(), arrived.port);
    let hello = match hello(&arrived, &mut wire).await {
        Ok(hello) => hello,
        Err(refusal) => return deny(&arrived, &place, wire, &refusal).await,
    };
    let table = arrived.shared.table();
    let opened = match agree(&hello, &place.named).and_then(|()| reach(&table, &place)) {
        Ok(opened) => opened,
        Err(refusal) => return deny(&arrived, &place, wire, &refusal).await,
    };
    match opened {
        Opened::Here => intercept(arrived, place, wire).await,
        Opened::Not(_, _) if hello.encrypted => {
            let message = format!("the name of {place} is passed on unopened, and this client hello may hide another");
            deny(&arrived, &place, wire, &refusal::because(Code::Authority, message)).await;
        }
        Opened::Not(host, rule) => pass(&arrived, &place, host, rule, wire).await,
    }
}

/// Where TLS is opened.
enum Opened<'a> {
    Here,
    /// By the other end alone.
    Not(&'a Host, &'a Rule),
}

fn reach<'a>(table: &'a Table, place: &'a Place) -> Result<Opened<'a>, Refusal> {
    match &place.named {
        Named::Reserved(_) => Ok(Opened::Here),
        Named::Host(host) => match table.reach(host, place.port) {
            Reach::Intercept(_) => Ok(Opened::Here),
            Reach::Passthrough(rule) => Ok(Opened::Not(host, rule)),
            Reach::Refuse(refusal) => Err(refusal),
        },
    }
}

async fn hello(arrived: &Arrived, wire: &mut Wire) -> Result<ClientHello, Refusal> {
    let judge = |bytes: &[u8], more| match (client_hello(bytes), more) {
        (Hello::Undecided, More::MayCome) => None,
        (hello, More::MayCome | More::Never) => Some(hello),
    };
    let malformed = |why: &str| refusal::because(Code::BadRequest, format!("the TLS client hello is malformed: {why}"));
    match timeout(arrived.shared.limits.head, wire.peek(HELLO_MAX, judge)).await {
        Ok(Ok(Some(Hello::Whole(hello)))) => Ok(hello),
        Ok(Ok(Some(Hello::Malformed(why)))) => Err(malformed(&why.to_string())),
        Ok(Ok(Some(Hello::Undecided) | None) | Err(_)) => Err(malformed("it ends in the middle")),
        Err(_) => Err(malformed("it did not arrive in time")),
    }
}

/// The server's name must be the very name that the connection was opened to. Threat: domain fronting, where the name that is
/// judged is not the name that is served.
fn agree(hello: &ClientHello, named: &Named) -> Result<(), Refusal> {
    let disagree = |message| Err(refusal::because(Code::Authority, message));
    match (&hello.name, named) {
        // A name never stands for an address (RFC 6066 §3).
        (None, Named::Host(Host::Address(_))) => Ok(()),
        (None, Named::Host(Host::Name(_)) | Named::Reserved(_)) => {
            disagree(format!("the connection is to {named}, and its TLS client hello names no server"))
        }
        (Some(name), _)
            if Named::parse(name).is_ok_and(|name| name == *named && !matches!(named, Named::Host(Host::Address(_)))) =>
        {
            Ok(())
        }
        (Some(name), _) => {
            let name = policy::Shown(name);
            disagree(format!("the connection is to {named}, and its TLS client hello names {name}"))
        }
    }
}

async fn intercept(arrived: Arrived, place: Place, wire: Wire) {
    let config = match arrived.shared.authority.config(&place.named.to_string()) {
        Ok(config) => config,
        Err(error) => {
            let refusal = refusal::because(Code::Protocol, error.to_string());
            return deny(&arrived, &place, wire, &refusal).await;
        }
    };
    let refusal = match timeout(arrived.shared.limits.head, TlsAcceptor::from(config).accept(wire)).await {
        Ok(Ok(stream)) => {
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let stream = Prefixed::new(Bytes::new(), stream);
            let connection = Connection::new(Arc::clone(&arrived.shared), Entry::At(place), arrived.destination);
            if is_http2 {
                http2::http2(stream, &connection).await;
            } else if let (stream, Next::Splice(splice)) = http1::http1(stream, &connection).await {
                splice.run(&arrived.shared, stream).await;
            }
            return;
        }
        Ok(Err(error)) => format!("the TLS handshake failed: {error}"),
        Err(_) => "the TLS handshake took too long".to_owned(),
    };
    // Most often a program that does not trust the bottle's authority: the person has to see that.
    record(&arrived, &place, &refusal::because(Code::Protocol, refusal));
}

async fn pass(arrived: &Arrived, place: &Place, host: &Host, rule: &Rule, wire: Wire) {
    let shared = &arrived.shared;
    let target = Target { host: host.clone(), port: place.port, transport: Transport::Tls };
    let upstream = match shared.records.ready() {
        Ok(()) => shared.upstreams.connect(&target, rule).await.map_err(Into::into),
        Err(refusal) => Err(refusal),
    };
    let (upstream, _share) = match upstream {
        Ok(connected) => connected,
        Err(refusal) => return deny(arrived, place, wire, &refusal).await,
    };
    let method = http::Method::from_bytes(b"TLS").unwrap_or(http::Method::CONNECT);
    let ledger = Ledger::new(Arc::clone(shared), Said { method, to: place.to_string(), path: None }, None);
    let holds = |table: &Table| matches!(table.reach(host, place.port), Reach::Passthrough(_));
    splice(shared, Counted::new(wire), Counted::new(upstream), ledger, holds).await;
}

async fn deny(arrived: &Arrived, place: &Place, wire: Wire, refusal: &Refusal) {
    let Arrived { shared, destination, .. } = arrived;
    refuse(shared, destination, wire, refusal, "tls", asked(place), &ACCESS_DENIED).await;
}

fn record(arrived: &Arrived, place: &Place, refusal: &Refusal) {
    let destination = &arrived.destination;
    arrived.shared.records.refused(crate::records::Refused { refusal, destination, kind: "tls", asked: asked(place) });
}

fn asked(place: &Place) -> String {
    format!("TLS {}", place.authority)
}
