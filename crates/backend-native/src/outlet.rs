//! The bottle's way out: the listeners that the helper opened inside the bottle's network, accepted from here.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bottle::{Arrival, Destination, Outlet, OutletError, Reply};
use helper::session::Life;
use tokio::io::unix::AsyncFd;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::ports::{DNS, PROXY};
use crate::sys::{self, Addresses};

/// Arrivals that wait to be taken; more wait in the kernel's queue, in the bottle.
const QUEUE: usize = 16;
/// Pause after an error such as a full descriptor table, so that it is not met again at once.
const BREATH: Duration = Duration::from_millis(50);

/// Accepts on every listener of one bottle.
pub struct NativeOutlet {
    arrivals: mpsc::Receiver<Arrival>,
    life: Arc<Life>,
    /// One task for each listener; dropping the set ends them and closes the sockets.
    _accepting: JoinSet<()>,
}

impl NativeOutlet {
    /// Takes the sockets over: TCP listeners, then one UDP socket, with their ports.
    pub fn new(ports: &[u16], sockets: Vec<OwnedFd>, life: Arc<Life>) -> io::Result<Self> {
        let (sender, arrivals) = mpsc::channel(QUEUE);
        let mut accepting = JoinSet::new();
        let last = sockets.len().saturating_sub(1);
        for (number, (socket, port)) in sockets.into_iter().zip(ports).enumerate() {
            if number == last {
                let socket = Arc::new(helper::sys::watch(socket, tokio::io::Interest::READABLE)?);
                accepting.spawn(receive(socket, sender.clone()));
            } else {
                let listener = TcpListener::from_std(std::net::TcpListener::from(socket))?;
                accepting.spawn(accept(listener, *port, sender.clone()));
            }
        }
        Ok(Self { arrivals, life, _accepting: accepting })
    }
}

#[async_trait]
impl Outlet for NativeOutlet {
    async fn accept(&mut self) -> Result<Arrival, OutletError> {
        tokio::select! {
            biased;
            _ = self.life.ended() => Err(OutletError::Gone),
            arrival = self.arrivals.recv() => arrival.ok_or(OutletError::Gone),
        }
    }
}

async fn accept(listener: TcpListener, port: u16, arrivals: mpsc::Sender<Arrival>) {
    loop {
        let arrival = match listener.accept().await {
            // The address that the program connected to: the socket's own, because every address is local in there.
            Ok((stream, _)) => match stream.local_addr() {
                Ok(address) => Arrival::Stream { destination: destination(address, port), stream: Box::new(stream) },
                Err(_) => continue,
            },
            Err(_) => {
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        if arrivals.send(arrival).await.is_err() {
            return;
        }
    }
}

fn destination(address: SocketAddr, port: u16) -> Destination {
    let ip = address.ip().to_canonical();
    if port == PROXY && ip.is_loopback() { Destination::Proxy } else { Destination::Transparent(SocketAddr::new(ip, port)) }
}

async fn receive(socket: Arc<AsyncFd<OwnedFd>>, arrivals: mpsc::Sender<Arrival>) {
    let mut buffer = vec![0; 65_536];
    loop {
        let received = socket.async_io(tokio::io::Interest::READABLE, |fd| sys::receive_from(fd.as_fd(), &mut buffer)).await;
        let Ok((length, addresses)) = received else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        let payload = buffer.get(..length).unwrap_or_default().to_vec();
        let reply = Box::new(DatagramReply { socket: Arc::clone(&socket), to: addresses });
        let destination = match addresses.destination(DNS) {
            address if address.ip() == IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED) => continue,
            address => Destination::Transparent(address),
        };
        if arrivals.send(Arrival::Datagram { destination, payload, reply }).await.is_err() {
            return;
        }
    }
}

struct DatagramReply {
    socket: Arc<AsyncFd<OwnedFd>>,
    to: Addresses,
}

#[async_trait]
impl Reply for DatagramReply {
    async fn send(self: Box<Self>, payload: &[u8]) -> io::Result<()> {
        sys::send_from(self.socket.get_ref().as_fd(), payload, self.to)
    }
}
