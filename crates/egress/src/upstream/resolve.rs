use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use policy::{Code, Host};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::Failure;
use super::checked::Checked;
use super::lookup::{Lookup, SystemLookup};
use super::target::Target;
use super::way::Way;

/// Finds the addresses of a host and judges them.
pub(super) struct Resolver {
    /// The system's, unless another was set before the first look-up.
    lookup: OnceLock<Arc<dyn Lookup>>,
    places: Arc<Semaphore>,
}

impl Resolver {
    /// Look-ups at once; each holds a thread while it waits. Threat: a rule for `*.example.org` and a name server of the
    /// attacker's that answers nobody.
    const AT_ONCE: usize = 16;

    pub(super) fn new() -> Self {
        Self { lookup: OnceLock::new(), places: Arc::new(Semaphore::new(Self::AT_ONCE)) }
    }

    /// Looks up by `lookup` from now on; without effect after the first look-up.
    pub(super) fn look_up_by(&self, lookup: Arc<dyn Lookup>) {
        let _ = self.lookup.set(lookup);
    }

    fn lookup(&self) -> Arc<dyn Lookup> {
        Arc::clone(self.lookup.get_or_init(|| Arc::new(SystemLookup)))
    }

    /// The addresses at which `target` may be reached by `way`, best first; at least one.
    ///
    /// # Errors
    /// When the name cannot be looked up by `deadline`, or has no address that may be reached.
    pub(super) async fn resolve(&self, target: &Target, way: &Way, deadline: Instant) -> Result<Vec<Checked>, Failure> {
        if let Some(address) = way.dial {
            return Ok(vec![Checked::named(address)]);
        }
        let addresses = match &target.host {
            Host::Address(address) => vec![SocketAddr::new(*address, target.port)],
            Host::Name(name) => self.look_up(name, target, deadline).await?,
        };
        Checked::all(&addresses, way, target)
    }

    async fn look_up(&self, name: &str, target: &Target, deadline: Instant) -> Result<Vec<SocketAddr>, Failure> {
        let looking = async {
            let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
            let (lookup, name, port) = (self.lookup(), name.to_owned(), target.port);
            let found = tokio::task::spawn_blocking(move || {
                let found = lookup.look_up(&name, port);
                // Given back by the thread itself: a look-up that nobody waits for any more still holds one.
                drop(place);
                found
            });
            found.await.ok()
        };
        let hint = "check the name, and that the host itself can look it up";
        match timeout_at(deadline, looking).await {
            Ok(Some(Ok(addresses))) => Ok(addresses),
            Ok(Some(Err(_))) => {
                Err(Failure::new(Code::Name, format!("looking up {}: no such name, or no answer", target.host), hint))
            }
            Ok(None) => Err(Failure::new(Code::Busy, format!("looking up {}: the service is ending", target.host), hint)),
            Err(_) => Err(Failure::new(Code::Name, format!("looking up {}: no answer in time", target.host), hint)),
        }
    }
}
