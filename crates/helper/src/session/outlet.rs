//! The bottle's way out: what the relay brings to the session's Unix socket.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bottle::proxy_header::{self, Transport};
use bottle::{Arrival, Destination, Exec, ExecError, Outlet, OutletError, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::life::Life;
use super::served::Served;

/// Arrivals that wait to be taken; more wait in their sockets.
const QUEUE: usize = 16;
/// Connections whose header is awaited, or that wait to be taken, at once. Each has a descriptor of the session's, which a flood must not
/// use up: more wait in the relay and in the kernel's queue.
const MOST_OPENING: usize = 32;
/// How long a header, and a question after it, may take to come: the relay has both when it connects.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause after an error such as a full descriptor table, so that it is not met again at once.
const BREATH: Duration = Duration::from_millis(50);
/// The explicit proxy's port.
const PROXY: u16 = 3128;
/// Bytes of a header before its addresses.
const FIXED: usize = 16;
/// Longest datagram (`udp(7)`).
const LONGEST: u64 = 65_507;

/// Whether the way out is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// The relay has not said so yet.
    Awaited,
    /// It listens.
    Open,
    /// It will not.
    Failed(String),
}

/// Waits until the way out of a bottle is open. No program runs before: none can listen where the relay is to.
///
/// # Errors
/// When it will not be open, or the bottle is gone.
pub async fn opened(opening: &watch::Receiver<Opening>, served: &Served, exec: &Exec) -> Result<(), ExecError> {
    let bottle = || served.name().to_string();
    let mut opening = opening.clone();
    let said = tokio::select! {
        biased;
        said = opening.wait_for(|opening| *opening != Opening::Awaited) => said.map(|said| said.clone()),
        _ = served.life().ended() => return Err(ExecError::Gone { bottle: bottle() }),
    };
    match said {
        Ok(Opening::Open) => Ok(()),
        Ok(Opening::Failed(reason)) => {
            let reason = format!("its way out could not be opened: {reason}");
            Err(ExecError::Failed { bottle: bottle(), program: exec.program(), reason })
        }
        Ok(Opening::Awaited) | Err(_) => Err(ExecError::Gone { bottle: bottle() }),
    }
}

/// Who may connect to a socket of a bottle's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Whoever the file system lets: its folder is shown to the bottle alone.
    Anyone,
    /// This process of the host, which speaks for the bottle's machine.
    Process(i32),
}

impl Peer {
    /// Whether it is the one on the other end (`SO_PEERCRED`, `unix(7)`: as it was when it connected).
    pub fn is(self, stream: &UnixStream) -> bool {
        match self {
            Self::Anyone => true,
            Self::Process(wanted) => stream.peer_cred().is_ok_and(|peer| peer.pid() == Some(wanted)),
        }
    }
}

/// Accepts what the relay of one bottle brings.
pub struct RelayedOutlet {
    arrivals: mpsc::Receiver<Arrival>,
    life: Arc<Life>,
    opening: Arc<watch::Sender<Opening>>,
    /// Dropping it closes the socket, and the connection by which the relay sees that the session is there.
    _accepting: JoinSet<()>,
}

impl RelayedOutlet {
    /// Takes the socket over, and says when the relay is there. What does not come from `peer` is closed at once.
    pub fn new(listener: UnixListener, peer: Peer, life: Arc<Life>, opening: Arc<watch::Sender<Opening>>) -> Self {
        let (sender, arrivals) = mpsc::channel(QUEUE);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, peer, sender, Arc::clone(&opening)));
        Self { arrivals, life, opening, _accepting: accepting }
    }
}

impl Drop for RelayedOutlet {
    /// Who gives the way out up before it is there waits for it no more: programs run, and reach nothing. Comes before the socket is
    /// closed, on which the relay ends.
    fn drop(&mut self) {
        self.opening.send_if_modified(|opening| {
            let awaited = *opening == Opening::Awaited;
            if awaited {
                *opening = Opening::Open;
            }
            awaited
        });
    }
}

#[async_trait]
impl Outlet for RelayedOutlet {
    async fn accept(&mut self) -> Result<Arrival, OutletError> {
        tokio::select! {
            biased;
            _ = self.life.ended() => Err(OutletError::Gone),
            arrival = self.arrivals.recv() => arrival.ok_or(OutletError::Gone),
        }
    }
}

async fn accept(listener: UnixListener, peer: Peer, arrivals: mpsc::Sender<Arrival>, opening: Arc<watch::Sender<Opening>>) {
    // The first connection is the relay's own: it carries nothing, and its end is the relay's end.
    let life = next(&listener, peer).await;
    opening.send_replace(Opening::Open);
    let mut taking = JoinSet::new();
    loop {
        while taking.len() >= MOST_OPENING {
            taking.join_next().await;
        }
        tokio::select! {
            stream = next(&listener, peer) => {
                let arrivals = arrivals.clone();
                taking.spawn(async move {
                    if let Some(arrival) = open(stream).await {
                        let _ = arrivals.send(arrival).await;
                    }
                });
            }
            Some(_) = taking.join_next() => {}
            () = arrivals.closed() => break,
        }
    }
    drop(life);
}

/// The next connection of the `peer`'s.
pub async fn next(listener: &UnixListener, peer: Peer) -> UnixStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) if peer.is(&stream) => return stream,
            Ok(_) => {}
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}

/// Reads what stands before the connection's own bytes. What is no such thing is dropped: the bottle can send itself astray, and
/// nobody else.
async fn open(stream: UnixStream) -> Option<Arrival> {
    tokio::time::timeout(PATIENCE, read(stream)).await.ok()?.ok()
}

async fn read(mut stream: UnixStream) -> io::Result<Arrival> {
    let mut bytes = vec![0; FIXED];
    stream.read_exact(&mut bytes).await?;
    let broken = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    // What can be told from here is told before more is read: nobody makes this wait for bytes that do not come.
    let known = proxy_header::parse(&bytes).map_err(broken)?;
    if known.is_none() {
        let length = usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
        bytes.resize(FIXED + length, 0);
        stream.read_exact(bytes.get_mut(FIXED..).unwrap_or_default()).await?;
    }
    let header = proxy_header::parse(&bytes).map_err(broken)?.ok_or(io::ErrorKind::InvalidData)?;
    let to = header.destination;
    let destination = if to.port() == PROXY && to.ip().is_loopback() { Destination::Proxy } else { Destination::Transparent(to) };
    match header.transport {
        Transport::Stream => Ok(Arrival::Stream { destination, stream: Box::new(stream) }),
        Transport::Datagram => {
            let mut payload = Vec::new();
            (&mut stream).take(LONGEST + 1).read_to_end(&mut payload).await?;
            if payload.len() as u64 > LONGEST {
                return Err(io::ErrorKind::InvalidData.into());
            }
            Ok(Arrival::Datagram { destination, payload, reply: Box::new(Answer(stream)) })
        }
    }
}

/// The connection that a question came on; its answer is what goes back on it.
struct Answer(UnixStream);

#[async_trait]
impl Reply for Answer {
    async fn send(mut self: Box<Self>, payload: &[u8]) -> io::Result<()> {
        self.0.write_all(payload).await?;
        self.0.shutdown().await
    }
}
