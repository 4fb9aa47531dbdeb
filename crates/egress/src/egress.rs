use std::sync::Arc;
use std::time::Duration;

use bottle::{Arrival, Outlet, OutletError};
use policy::Table;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::connection;
use crate::dns::Names;
use crate::in_flight::InFlight;
use crate::internal::{Internal, Internals};
use crate::records::Records;
use crate::state::Shared;
use crate::trust::TrustRoots;
use crate::upstream::{Lookup, Upstreams};
use crate::{Authority, Config};

/// One bottle's egress service.
pub struct Egress(Arc<Shared>);

/// Steers a running [`Egress`] from outside. Cloning it is cheap; it outlives the service and then does nothing.
#[derive(Clone)]
pub struct Control(Arc<Shared>);

/// How much there was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Requests and connections that passed and have ended.
    pub passed: u64,
    /// Refusals.
    pub refused: u64,
}

/// After the system refused to accept, such as for a full file table: what is being served frees places meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

impl Egress {
    /// A service that does nothing until [`Egress::serve`]. Opens nothing and reads no file.
    pub fn new(config: Config, authority: Authority, roots: TrustRoots) -> (Self, Control) {
        let shared = Arc::new(Shared {
            table: watch::Sender::new(Arc::new(config.table)),
            credentials: config.credentials,
            known: config.known,
            placeholders: config.placeholders,
            log: config.log,
            records: Records::new(config.audit, config.traffic),
            authority,
            upstreams: Upstreams::new(roots, &config.limits),
            requests: Arc::new(Semaphore::new(config.limits.requests)),
            ample: Arc::new(Semaphore::new(connection::AMPLE)),
            in_flight: InFlight::new(config.limits.in_flight),
            limits: config.limits,
            names: Names::default(),
            internals: Internals::default(),
        });
        (Self(Arc::clone(&shared)), Control(shared))
    }

    /// Puts a service in the place of one of the bottle's own names.
    pub fn with_internal(self, internal: Arc<dyn Internal>) -> Self {
        self.0.internals.put(internal);
        self
    }

    /// Looks names up by `lookup` instead of the host's own resolver. Addresses are judged all the same.
    pub fn with_lookup(self, lookup: Arc<dyn Lookup>) -> Self {
        self.0.upstreams.look_up_by(lookup);
        self
    }

    /// Serves until the bottle is gone. Every task it starts belongs to this future: dropping it ends them all, and nothing
    /// passes any more.
    pub async fn serve(self, mut outlet: Box<dyn Outlet>) {
        let shared = self.0;
        let accepting = async {
            let places = Arc::new(Semaphore::new(shared.limits.connections));
            let mut tasks = JoinSet::new();
            loop {
                while tasks.try_join_next().is_some() {}
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                match outlet.accept().await {
                    Ok(Arrival::Stream { destination, stream }) => {
                        let shared = Arc::clone(&shared);
                        tasks.spawn(async move {
                            connection::serve(shared, destination, stream).await;
                            drop(place);
                        });
                    }
                    Ok(Arrival::Datagram { destination, payload, reply }) => {
                        connection::datagram(&shared, destination, &payload, reply).await;
                    }
                    Err(OutletError::Gone) => return,
                    Err(OutletError::Io(_)) => tokio::time::sleep(PAUSE).await,
                }
            }
        };
        tokio::select! {
            () = accepting => {}
            () = shared.records.keep_written() => {}
        }
    }
}

impl Control {
    /// Puts another table in force: for every request from now on, those on open connections included. Tunnels that it does
    /// not allow are closed.
    pub fn reload(&self, table: Table) {
        self.0.table.send_replace(Arc::new(table));
    }

    /// How much there was so far.
    pub fn counts(&self) -> Counts {
        let (passed, refused) = self.0.records.counts();
        Counts { passed, refused }
    }
}
