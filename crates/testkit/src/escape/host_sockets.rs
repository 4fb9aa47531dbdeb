//! Connects to Unix sockets of the host: abstract ones, which have no path, and one in the host's /tmp.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};

use super::Arena;

/// The host's Unix sockets are neither listed nor reached.
pub async fn host_sockets(arena: &Arena) {
    let name = crate::canary("socket");
    let folder = tempfile::tempdir_in("/tmp").expect("a folder");
    let path = folder.path().join("agent.sock");
    let address = SocketAddr::from_abstract_name(&name).expect("an abstract name");
    let listeners = [UnixListener::bind_addr(&address).expect("a socket"), UnixListener::bind(&path).expect("a socket")];
    let datagrams =
        UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(format!("{name}-datagrams")).expect("a name")).expect("a socket");
    let script = r#"
name, path = sys.argv[1:]
none = (errno.ECONNREFUSED, errno.ENOENT)
for address in ("\0" + name, path, "/proc/1/root" + path):
    refused(f"connecting to {address!r}", lambda: socket.socket(socket.AF_UNIX).connect(address), none + REFUSED)
datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
refused("sending", lambda: datagrams.sendto(b"out", "\0" + name + "-datagrams"), none)
table = open("/proc/net/unix").read()
held("no socket of the host's is listed", name not in table and path not in table)
"#;
    arena.bottle().await.attack(script, &[&name, &path.display().to_string()]).await;
    for listener in &listeners {
        listener.set_nonblocking(true).expect("a socket");
        assert!(listener.accept().is_err(), "somebody connected");
    }
    datagrams.set_nonblocking(true).expect("a socket");
    assert!(datagrams.recv(&mut [0; 8]).is_err(), "something was sent");
}
