//! From an arrival to requests: what a connection is, whom it may name, and which server speaks on it.

mod activity;
mod datagram;
mod http1;
mod http2;
mod inside;
mod linger;
mod overheard;
mod serve;
mod splice;
mod tasks;
mod tls;

use std::sync::{Arc, Mutex, PoisonError};

use crate::framing::Gate;
use crate::place::Place;
use crate::state::Shared;

pub(crate) use activity::{Activity, Busy};
pub(crate) use datagram::datagram;
pub(crate) use http1::violated;
pub(crate) use http2::AMPLE;
pub(crate) use serve::serve;
pub(crate) use splice::Splice;

/// What the requests of one connection have in common.
pub(crate) struct Connection {
    pub(crate) shared: Arc<Shared>,
    pub(crate) entry: Entry,
    /// Where the connection went, for the record: `proxy`, or an address.
    pub(crate) destination: Arc<str>,
    pub(crate) gate: Arc<Gate>,
    next: Mutex<Next>,
}

/// How requests come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// To the explicit proxy: each says where it wants to go.
    Proxy,
    /// To one place, which every request must name.
    At(Place),
}

/// What an HTTP/1 connection becomes when its server has ended.
#[derive(Default)]
pub(crate) enum Next {
    /// It is closed.
    #[default]
    Close,
    /// CONNECT was answered with 200: a tunnel to this place, of which only the port and the name count yet.
    Tunnel(Place),
    /// An upgrade was answered with 101.
    Splice(Box<Splice>),
}

impl Connection {
    pub(crate) fn new(shared: Arc<Shared>, entry: Entry, destination: Arc<str>) -> Arc<Self> {
        Arc::new(Self { shared, entry, destination, gate: Arc::default(), next: Mutex::default() })
    }

    pub(crate) fn becomes(&self, next: Next) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }

    fn take_next(&self) -> Next {
        std::mem::take(&mut *self.next.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
