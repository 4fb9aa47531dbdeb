//! Takes the outlet's place inside: listens on its ports first, or beside it.

use bottle::{Destination, User};

use super::Arena;

const TAKE: &str = r#"
taken = REFUSED + (errno.EADDRINUSE,)
def take(kind, address, port, *options):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind) as thief:
        for option in options:
            thief.setsockopt(socket.SOL_SOCKET, option, 1)
        thief.bind((address, port))
        if kind == socket.SOCK_STREAM:
            thief.listen()
        return address
for options in ((), (socket.SO_REUSEADDR,), (socket.SO_REUSEPORT,), (socket.SO_REUSEADDR, socket.SO_REUSEPORT)):
    # gVisor lets a wider address be taken; the narrower one hears all the same, as the last step shows.
    for address in ("127.0.0.1", "::ffff:127.0.0.1") + (() if OWN_KERNEL else ("0.0.0.0",)):
        refused(f"{address}:3128 {options}", lambda: take(socket.SOCK_STREAM, address, 3128, *options), taken)
    # Where programs reach nothing but the proxy, these ports are nobody's.
    for port in (22, 53, 80, 443) if TRANSPARENT else ():
        for address in ("127.0.0.1", "0.0.0.0", "203.0.113.7", "::", "::1", "::ffff:203.0.113.7"):
            refused(f"{address}:{port} {options}", lambda: take(socket.SOCK_STREAM, address, port, *options), taken)
    for address in ("127.0.0.1", "0.0.0.0", "127.0.0.53", "8.8.8.8") if TRANSPARENT else ():
        refused(f"resolver {address} {options}", lambda: take(socket.SOCK_DGRAM, address, 53, *options), taken)
for knob in ("ip_unprivileged_port_start", "ip_nonlocal_bind", "ip_local_port_range") if TRANSPARENT else ():
    refused(knob, lambda: open(f"/proc/sys/net/ipv4/{knob}", "w").write("0"), GONE + (errno.EROFS,))
socket.create_connection(("127.0.0.1", 3128), 20).close()
if TRANSPARENT:
    socket.create_connection(("203.0.113.7", 443), 20).close()
"#;

/// The outlet was there first, and stays the one who hears.
pub async fn outlet_ports(arena: &Arena) {
    let mut subject = arena.bottle().await;
    for user in [User::Node, User::Root] {
        subject.attack_as(user, TAKE, &[]).await;
        let mut expected = vec![Destination::Proxy];
        if arena.capabilities().transparent {
            expected.push(Destination::Transparent("203.0.113.7:443".parse().expect("an address")));
        }
        let mut arrived = subject.arrivals(expected.len()).await;
        arrived.sort_by_key(|destination| matches!(destination, Destination::Transparent(_)));
        assert_eq!(arrived, expected);
    }
    assert!(subject.nothing_else_arrived());
}
