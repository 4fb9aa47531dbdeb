//! Reaches services that listen on the host's loopback and on its addresses.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use super::Arena;

/// The host's address in its own network, as it would choose it; nothing is sent.
fn own_address() -> Option<String> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(("192.0.2.1", 9)).ok()?;
    Some(socket.local_addr().ok()?.ip().to_string())
}

/// A service on the host hears nothing, whatever name or spelling its address has.
pub async fn loopback_services(arena: &Arena) {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a listener");
    let port = listener.local_addr().expect("its address").port();
    let sixth = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).ok();
    let sixth_port = sixth.as_ref().map_or(port, |listener| listener.local_addr().map_or(port, |address| address.port()));
    let datagrams = UdpSocket::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))).expect("a socket");
    let datagram_port = datagrams.local_addr().expect("its address").port();
    let own = own_address().unwrap_or_else(|| "192.0.2.2".to_owned());
    let script = r#"
port, sixth, datagrams, own = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
none = REFUSED + (errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL)
for address in ("127.0.0.1", "127.1.2.3", "0.0.0.0", "localhost", "172.17.0.1", "10.0.2.2", "192.168.65.2", own):
    refused(f"{address}:{port}", lambda: socket.create_connection((address, port), 20), none)
for address in ("::1", "::", "::ffff:127.0.0.1", "fe80::1"):
    for number in (port, sixth):
        refused(f"[{address}]:{number}", lambda: socket.socket(socket.AF_INET6).connect((address, number)), none + (errno.EINVAL,))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for address in ("127.0.0.1", own):
    tried += 1
    try:
        sender.sendto(b"out", (address, datagrams))
    except OSError:
        pass
"#;
    let ports = [port.to_string(), sixth_port.to_string(), datagram_port.to_string(), own];
    arena.bottle().await.attack(script, &[&ports[0], &ports[1], &ports[2], &ports[3]]).await;
    for listener in [Some(listener), sixth].into_iter().flatten() {
        listener.set_nonblocking(true).expect("a socket");
        assert!(listener.accept().is_err(), "somebody connected");
    }
    datagrams.set_nonblocking(true).expect("a socket");
    assert!(datagrams.recv(&mut [0; 8]).is_err(), "something was sent");
}
