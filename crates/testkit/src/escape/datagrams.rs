//! Sends datagrams past TCP: QUIC, time, discovery, tunnels.

use std::net::{Ipv4Addr, UdpSocket};

use bottle::{Destination, User};

use super::Arena;

const SEND: &str = r#"
port = int(sys.argv[1])
none = REFUSED + (errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EINVAL, errno.EMSGSIZE)
# QUIC long header, NTP, mDNS, SSDP, syslog, STUN, WireGuard, VXLAN, GTP, DNS over QUIC, and a service of the host's.
PORTS = (80, 443, 123, 5353, 1900, 514, 3478, 51820, 4789, 2152, 853, port)
ADDRESSES = ("127.0.0.1", "8.8.8.8", "203.0.113.7", "10.0.0.1", "169.254.169.254", "224.0.0.251", "255.255.255.255", "198.18.0.1",
    "::1", "2001:db8::7", "ff02::fb", "::ffff:8.8.8.8")
for address in ADDRESSES:
    for to in PORTS:
        for size in (1200, 65507):
            tried += 1
            with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                sender.settimeout(5)
                try:
                    sender.connect((address, to))
                    sender.send(b"\xc0\0\0\0\1" + bytes(size - 5))
                    # An error comes back, or nothing ever: nobody answers.
                    sender.setblocking(False)
                    held(f"{address}:{to} answers", not sender.recv(1))
                except BlockingIOError:
                    pass
                except OSError as error:
                    held(f"{address}:{to}: {error}", error.errno in none)
# The last one is a question, and arrives: all others would have arrived before it.
if TRANSPARENT:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"fence", ("203.0.113.7", 53))
"#;

/// Of all datagrams only questions for names arrive anywhere, and those at the outlet.
pub async fn datagrams(arena: &Arena) {
    let host = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a socket");
    let port = host.local_addr().expect("its address").port().to_string();
    let mut subject = arena.bottle().await;
    for user in [User::Node, User::Root] {
        subject.attack_as(user, SEND, &[&port]).await;
        if arena.capabilities().transparent {
            let fence = Destination::Transparent("203.0.113.7:53".parse().expect("an address"));
            assert_eq!(subject.arrivals(1).await, [fence]);
        }
    }
    assert!(subject.nothing_else_arrived());
    host.set_nonblocking(true).expect("a socket");
    assert!(host.recv(&mut [0; 8]).is_err(), "something was sent");
}
