use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};

/// How names become addresses.
pub trait Lookup: Send + Sync {
    /// The addresses of `name`, best first. Blocks; is called on a thread of its own.
    ///
    /// # Errors
    /// When the name does not exist, or nobody can be asked.
    fn look_up(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The host's own resolver, so that a VPN's names and `/etc/hosts` work.
pub(super) struct SystemLookup;

impl Lookup for SystemLookup {
    fn look_up(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        (name, port).to_socket_addrs().map(Iterator::collect)
    }
}
