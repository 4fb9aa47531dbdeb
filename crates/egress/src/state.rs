use std::net::IpAddr;
use std::sync::Arc;

use policy::{Host, LogLevel, Table};
use secret::Secret;
use tokio::sync::{Semaphore, watch};

use crate::dns::Names;
use crate::in_flight::InFlight;
use crate::internal::Internals;
use crate::place::Named;
use crate::records::Records;
use crate::upstream::Upstreams;
use crate::{Authority, Credentials, Limits};

/// What all connections of one bottle share.
pub(crate) struct Shared {
    /// The present table: a request takes it once and is judged by it alone.
    pub(crate) table: watch::Sender<Arc<Table>>,
    pub(crate) credentials: Arc<dyn Credentials>,
    pub(crate) known: Vec<Secret>,
    pub(crate) placeholders: Vec<Secret>,
    pub(crate) log: LogLevel,
    pub(crate) limits: Limits,
    pub(crate) records: Records,
    pub(crate) authority: Authority,
    pub(crate) upstreams: Upstreams,
    /// A permit for each request at once.
    pub(crate) requests: Arc<Semaphore>,
    /// One for each HTTP/2 connection of the bottle's that may have much under way.
    pub(crate) ample: Arc<Semaphore>,
    pub(crate) in_flight: Arc<InFlight>,
    pub(crate) names: Names,
    pub(crate) internals: Internals,
}

impl Shared {
    pub(crate) fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.borrow())
    }

    /// The name that an address stands for in this bottle; itself where it stands for none.
    pub(crate) fn named_at(&self, address: IpAddr) -> Named {
        let address = address.to_canonical();
        let known = match address {
            IpAddr::V4(v4) => self.names.host_at(v4),
            IpAddr::V6(_) => None,
        };
        match known.unwrap_or(Host::Address(address)) {
            // The bottle's own names are the only hosts there that a text cannot be parsed into.
            Host::Name(name) => Named::parse(&name).unwrap_or(Named::Host(Host::Name(name))),
            address @ Host::Address(_) => Named::Host(address),
        }
    }

    /// Returns when a table comes under which `holds` is false: what has no requests of its own, such as a tunnel, is judged
    /// again at every change.
    pub(crate) async fn until_refused(&self, holds: impl Fn(&Table) -> bool) {
        let mut tables = self.table.subscribe();
        loop {
            if !holds(&self.table()) {
                return;
            }
            if tables.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}
