use std::sync::Arc;
use std::time::Duration;

use bottle::{Arrival, ByteStream, Destination, Outlet, OutletError};
use jiff::Timestamp;
use store::{Audit, Record};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::classify::{Kind, classify};
use super::{asked, dns, refusal};

/// Refuses everything that arrives from a bottle.
pub struct ClosedOutlet {
    outlet: Box<dyn Outlet>,
    audit: Arc<Audit>,
}

/// Connections answered at once. The rest waits in the bottle's own queue: the bottle can exhaust nothing but its own patience.
const AT_ONCE: usize = 64;
/// How long a connection may take to say what it is, and again to read the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most bytes of a head that are read before the answer.
const HEAD_MAX: usize = 16 * 1024;
/// Most bytes that are read and thrown away after the answer.
const DRAIN_MAX: usize = 4 * 1024 * 1024;

impl ClosedOutlet {
    /// Refusals go to `audit`.
    pub fn new(outlet: Box<dyn Outlet>, audit: Arc<Audit>) -> Self {
        Self { outlet, audit }
    }

    /// Serves until the bottle is gone. Dropping the future closes the outlet; connections being answered are dropped too.
    pub async fn serve(mut self) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut tasks = tokio::task::JoinSet::new();
        loop {
            while tasks.try_join_next().is_some() {}
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match self.outlet.accept().await {
                Ok(arrival) => {
                    let audit = Arc::clone(&self.audit);
                    tasks.spawn(async move {
                        answer(arrival, &audit).await;
                        drop(place);
                    });
                }
                Err(OutletError::Gone) => return,
                // Such as a full file table: what is being answered now frees places. The pause keeps it from spinning.
                Err(OutletError::Io(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

async fn answer(arrival: Arrival, audit: &Audit) {
    match arrival {
        Arrival::Stream { destination, mut stream } => {
            let (kind, head) = read_head(&mut *stream).await;
            record(
                audit,
                destination,
                name(kind, &head),
                if matches!(kind, Kind::Http { .. }) { asked::asked(&head) } else { String::new() },
            );
            // The peer may be gone; then there is nobody to tell.
            let _ = timeout(PATIENCE, refuse(&mut *stream, kind)).await;
        }
        Arrival::Datagram { destination, payload, reply } => {
            record(audit, destination, "dns", dns::asked(&payload));
            if let Some(refused) = dns::refused(&payload) {
                let _ = timeout(PATIENCE, reply.send(&refused)).await;
            }
        }
    }
}

/// Reads until the bytes say what they are, the bound or the deadline is reached, or the peer has said all it wants.
async fn read_head(stream: &mut dyn ByteStream) -> (Kind, Vec<u8>) {
    let mut head = Vec::with_capacity(1024);
    let reading = async {
        loop {
            match classify(&head) {
                Kind::Undecided | Kind::Http { complete: false } if head.len() < HEAD_MAX => {}
                Kind::Undecided | Kind::Http { .. } | Kind::Tls | Kind::Other => return,
            }
            if !matches!(stream.read_buf(&mut head).await, Ok(1..)) {
                return;
            }
        }
    };
    // On a deadline what has arrived so far is judged.
    let _ = timeout(PATIENCE, reading).await;
    (classify(&head), head)
}

/// Writes the answer and then reads on until the peer closes: closing with unread bytes would reset the connection, and the
/// peer might never see the answer (RFC 9112 §9.6).
async fn refuse(stream: &mut dyn ByteStream, kind: Kind) -> std::io::Result<()> {
    match kind {
        Kind::Tls => stream.write_all(&refusal::TLS_ALERT).await?,
        Kind::Http { .. } | Kind::Undecided | Kind::Other => stream.write_all(&refusal::http()).await?,
    }
    stream.shutdown().await?;
    let mut rest = [0; 8192];
    let mut drained = 0;
    while drained < DRAIN_MAX {
        match stream.read(&mut rest).await? {
            0 => return Ok(()),
            count => drained += count,
        }
    }
    Ok(())
}

fn name(kind: Kind, head: &[u8]) -> &'static str {
    match kind {
        Kind::Tls => "tls",
        Kind::Http { .. } => "http",
        Kind::Undecided if head.is_empty() => "silent",
        Kind::Undecided | Kind::Other => "unknown",
    }
}

fn record(audit: &Audit, destination: Destination, kind: &'static str, asked: String) {
    let destination = match destination {
        Destination::Proxy => "proxy".to_owned(),
        Destination::Transparent(address) => address.to_string(),
    };
    // Nothing passes whether or not the record could be written, so a full disk opens nothing here. The audit counts what is
    // not in its file, and the person is told once, when the session ends: their screen is the agent's until then.
    let _ = audit.append(&Record { time: Timestamp::now(), code: refusal::CODE, destination, kind, asked });
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
