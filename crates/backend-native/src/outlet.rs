//! The bottle's way out: the listeners that the helper opened inside the bottle's network, accepted from here.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bottle::{Arrival, Destination, Outlet, OutletError, Reply};
use helper::session::Life;
use rustix::net::sockopt;
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
///
/// It is registered with the runtime that first accepts from it: the thread that serves a connection then hears of its bytes
/// itself. Registered where the bottle was launched, every byte would wake two threads.
pub struct NativeOutlet {
    life: Arc<Life>,
    /// TCP listeners with their ports, and one UDP socket.
    listeners: Vec<(u16, std::net::TcpListener)>,
    resolver: OwnedFd,
    accepting: Option<Accepting>,
}

struct Accepting {
    arrivals: mpsc::Receiver<Arrival>,
    /// One task for each listener; dropping the set ends them and closes the sockets.
    _tasks: JoinSet<()>,
}

impl NativeOutlet {
    /// Takes the sockets over: TCP listeners, then one UDP socket, with their ports. Needs no runtime.
    pub fn new(ports: &[u16], mut sockets: Vec<OwnedFd>, life: Arc<Life>) -> io::Result<Self> {
        let resolver = sockets.pop().ok_or(io::ErrorKind::InvalidInput)?;
        let listeners = ports.iter().copied().zip(sockets.into_iter().map(std::net::TcpListener::from)).collect();
        Ok(Self { life, listeners, resolver, accepting: None })
    }

    /// Copies of the descriptors are registered, so that what fails can be tried again.
    fn begin(&self) -> io::Result<Accepting> {
        let (sender, arrivals) = mpsc::channel(QUEUE);
        let mut tasks = JoinSet::new();
        for (port, listener) in &self.listeners {
            // Connections inherit it (`tcp(7)`): small answers do not wait for acknowledgements.
            sockopt::set_tcp_nodelay(listener, true)?;
            tasks.spawn(accept(TcpListener::from_std(listener.try_clone()?)?, *port, sender.clone()));
        }
        let resolver = helper::sys::watch(self.resolver.try_clone()?, tokio::io::Interest::READABLE)?;
        tasks.spawn(receive(Arc::new(resolver), sender));
        Ok(Accepting { arrivals, _tasks: tasks })
    }
}

#[async_trait]
impl Outlet for NativeOutlet {
    async fn accept(&mut self) -> Result<Arrival, OutletError> {
        let accepting = match self.accepting.take() {
            Some(accepting) => accepting,
            None => self.begin()?,
        };
        let Accepting { arrivals, .. } = self.accepting.insert(accepting);
        tokio::select! {
            biased;
            _ = self.life.ended() => Err(OutletError::Gone),
            arrival = arrivals.recv() => arrival.ok_or(OutletError::Gone),
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
