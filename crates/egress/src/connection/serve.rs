use std::net::SocketAddr;
use std::sync::Arc;

use bottle::{ByteStream, Destination};
use bytes::Bytes;
use policy::{Code, Host, Refusal};
use tokio::time::timeout;

use super::inside::{self, Arrived};
use super::linger::say;
use super::{Connection, Entry, Next, datagram, http1};
use crate::opening::{FirstBytes, More, Prefixed, first_bytes};
use crate::place::Named;
use crate::records::Refused;
use crate::refusal;
use crate::shared::Shared;

/// A bottle's connection, with what was read ahead of it.
pub(super) type Wire = Prefixed<Box<dyn ByteStream>>;

/// Serves one connection out of a bottle to its end.
pub(crate) async fn serve(shared: Arc<Shared>, destination: Destination, stream: Box<dyn ByteStream>) {
    let name: Arc<str> = destination_text(destination).into();
    let wire = Prefixed::new(Bytes::new(), stream);
    match destination {
        Destination::Proxy => explicit(shared, name, wire).await,
        Destination::Transparent(address) => match address.port() {
            22 => ssh(&shared, &name, wire).await,
            53 => datagram::stream(&shared, &name, wire).await,
            port => transparent(shared, name, address, port, wire).await,
        },
    }
}

/// As records name it: `proxy`, `203.0.113.7:443`.
pub(super) fn destination_text(destination: Destination) -> String {
    match destination {
        Destination::Proxy => "proxy".to_owned(),
        Destination::Transparent(address) => address.to_string(),
    }
}

/// The explicit proxy speaks HTTP/1 alone, as every client of a proxy does.
async fn explicit(shared: Arc<Shared>, destination: Arc<str>, mut wire: Wire) {
    match opening(&shared, &mut wire).await {
        FirstBytes::Http1 => {}
        FirstBytes::Undecided if wire.is_closed() => return,
        other @ (FirstBytes::Tls | FirstBytes::Http2 | FirstBytes::Undecided | FirstBytes::Other) => {
            return unknown(&shared, &destination, wire, other).await;
        }
    }
    let connection = Connection::new(Arc::clone(&shared), Entry::Proxy, Arc::clone(&destination));
    match http1::http1(wire, &connection).await {
        (_, Next::Close) => {}
        (wire, Next::Splice(splice)) => splice.run(&shared, wire).await,
        (wire, Next::Tunnel(place)) => {
            inside::serve(Arrived { shared, destination, named: place.named, port: place.port }, wire).await;
        }
    }
}

async fn transparent(shared: Arc<Shared>, destination: Arc<str>, address: SocketAddr, port: u16, mut wire: Wire) {
    let named = shared.named_at(address.ip());
    match &named {
        Named::Host(host @ Host::Address(_)) if !shared.table().knows(host) => {
            let refusal = refusal::plain(Code::Address);
            let (kind, words) = match opening(&shared, &mut wire).await {
                FirstBytes::Tls => ("tls", ACCESS_DENIED.to_vec()),
                FirstBytes::Http1 => ("http", refusal::raw(&refusal)),
                FirstBytes::Http2 | FirstBytes::Undecided | FirstBytes::Other => ("unknown", Vec::new()),
            };
            refuse(&shared, &destination, wire, &refusal, kind, String::new(), &words).await;
        }
        Named::Host(_) | Named::Reserved(_) => inside::serve(Arrived { shared, destination, named, port }, wire).await,
    }
}

/// A server may send lines before its version (RFC 4253 §4.2); ssh shows them.
async fn ssh(shared: &Shared, destination: &str, wire: Wire) {
    let refusal = refusal::because(Code::Protocol, "SSH does not leave this bottle".to_owned());
    let words = format!("bot-bottle: {}; {}\r\n", refusal.message, refusal.hint);
    refuse(shared, destination, wire, &refusal, "ssh", String::new(), words.as_bytes()).await;
}

/// Reads until the first bytes say what they are, or the deadline is reached.
pub(super) async fn opening(shared: &Shared, wire: &mut Wire) -> FirstBytes {
    let judge = |bytes: &[u8], more| match (first_bytes(bytes), more) {
        (FirstBytes::Undecided, More::MayCome) => None,
        (decided, More::MayCome | More::Never) => Some(decided),
    };
    match timeout(shared.limits.head, wire.peek(64, judge)).await {
        Ok(Ok(Some(decided))) => decided,
        Ok(Ok(None) | Err(_)) | Err(_) => FirstBytes::Undecided,
    }
}

/// Closes what is neither TLS nor HTTP. One that said nothing and left is nobody's concern.
pub(super) async fn unknown(shared: &Shared, destination: &str, wire: Wire, first: FirstBytes) {
    let refusal = refusal::plain(Code::Protocol);
    let (kind, words) = match first {
        FirstBytes::Tls => ("tls", ACCESS_DENIED.to_vec()),
        FirstBytes::Undecided if wire.is_untouched() => ("silent", refusal::raw(&refusal)),
        FirstBytes::Undecided | FirstBytes::Other | FirstBytes::Http1 | FirstBytes::Http2 => ("unknown", refusal::raw(&refusal)),
    };
    refuse(shared, destination, wire, &refusal, kind, String::new(), &words).await;
}

/// A fatal TLS alert, access_denied(49) (RFC 8446 §6, record layer as in RFC 5246 §6.2.1): what a TLS client shows as
/// "access denied" rather than as a broken connection.
pub(super) const ACCESS_DENIED: [u8; 7] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 49];

/// Records a refusal, says the last words and closes.
pub(super) async fn refuse(
    shared: &Shared,
    destination: &str,
    mut wire: Wire,
    refusal: &Refusal,
    kind: &'static str,
    asked: String,
    words: &[u8],
) {
    shared.records.refused(Refused { refusal, destination, kind, asked });
    say(&mut wire, words).await;
}
