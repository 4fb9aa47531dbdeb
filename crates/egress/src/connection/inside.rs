use std::sync::Arc;

use policy::Transport;

use super::serve::{Wire, opening, unknown};
use super::{Connection, Entry, Next, http1, http2, tls};
use crate::opening::FirstBytes;
use crate::place::{Named, Place};
use crate::state::Shared;

/// A connection of which it is known where it wants to go: by CONNECT, or by the address it was made to.
pub(super) struct Arrived {
    pub(super) shared: Arc<Shared>,
    /// For the record.
    pub(super) destination: Arc<str>,
    pub(super) named: Named,
    pub(super) port: u16,
}

/// Serves what it turns out to be.
pub(super) async fn serve(arrived: Arrived, mut wire: Wire) {
    match opening(&arrived.shared, &mut wire).await {
        FirstBytes::Tls => tls::tls(arrived, wire).await,
        FirstBytes::Http1 => {
            let (shared, connection) = plain(arrived);
            if let (wire, Next::Splice(splice)) = http1::http1(wire, &connection).await {
                splice.run(&shared, wire).await;
            }
        }
        FirstBytes::Http2 => http2::http2(wire, &plain(arrived).1).await,
        // A client that opened a connection ahead and never used it.
        FirstBytes::Undecided if wire.is_closed() => {}
        first @ (FirstBytes::Undecided | FirstBytes::Other) => {
            unknown(&arrived.shared, &arrived.destination, wire, first).await;
        }
    }
}

/// Without TLS: whether a rule lets that pass is judged with each request.
fn plain(arrived: Arrived) -> (Arc<Shared>, Arc<Connection>) {
    let Arrived { shared, destination, named, port } = arrived;
    let place = Place::new(Transport::Plain, named, port);
    (Arc::clone(&shared), Connection::new(shared, Entry::At(place), destination))
}
