//! Opens sockets that go round TCP and UDP: packets, raw, ICMP, SCTP, vsock, netlink, crypto, Bluetooth; and asks the one kind of
//! netlink that there is to change something.

use super::Arena;

/// Only Unix, TCP, UDP sockets and the routing table's netlink can be made, however the type and protocol are written.
pub async fn socket_families(arena: &Arena) {
    let script = r#"
families = REFUSED + (errno.EAFNOSUPPORT, errno.ESOCKTNOSUPPORT, errno.EPROTONOSUPPORT, errno.EINVAL)
STREAM, DGRAM, RAW, RDM, SEQPACKET, DCCP, PACKET = 1, 2, 3, 4, 5, 6, 10
ICMP, SCTP, UDPLITE, MPTCP, ICMP6 = 1, 132, 136, 262, 58
for family in (2, 10):
    for kind in (RAW, RDM, SEQPACKET, DCCP, PACKET):
        for protocol in (0, 6, 17, 255, SCTP, ICMP, 33):
            refused(f"socket {family} {kind} {protocol}", lambda: socket.socket(family, kind, protocol), families)
    for kind, protocol in ((DGRAM, ICMP), (DGRAM, ICMP6), (STREAM, SCTP), (DGRAM, UDPLITE), (STREAM, MPTCP), (STREAM, 33)):
        refused(f"socket {family} {kind} {protocol}", lambda: socket.socket(family, kind, protocol), families)
for family in (17, 40, 38, 31, 29, 15, 44, 30, 32, 39, 5, 4, 9):
    for kind in (STREAM, DGRAM, RAW, SEQPACKET):
        refused(f"socket {family} {kind}", lambda: socket.socket(family, kind, 0), families)
for kind in (RAW, DGRAM):
    for protocol in [*range(1, 33), 255]:
        refused(f"netlink {kind} {protocol}", lambda: socket.socket(16, kind, protocol), families)
refused("a pair of netlink sockets", lambda: socket.socketpair(16, RAW, 0), families)
refused("a family behind high bits", lambda: call({"x86_64": 41}.get(platform.machine(), 198), 17 | 1 << 32, RAW, 0), families)
# Asking for one's interfaces is harmless, and getifaddrs(3) does: the loopback is all there is. Changing them is not.
held("the loopback is the only interface", [name for _, name in socket.if_nameindex()] == ["lo"])
socket.socket(16, DGRAM, 0).close()
route = socket.socket(16, RAW, 0)
def transact(kind, body):
    import struct
    route.send(struct.pack("=IHHII", 16 + len(body), kind, 5, 1, 0) + body)
    answer = route.recv(4096)
    error = struct.unpack_from("=i", answer, 16)[0]
    if struct.unpack_from("=H", answer, 4)[0] == 2 and error:
        raise OSError(-error, os.strerror(-error))
RTM_NEWLINK, RTM_SETLINK, RTM_NEWADDR, RTM_NEWROUTE = 16, 19, 20, 24
refused("making an interface", lambda: transact(RTM_NEWLINK, bytes(16)))
refused("taking the loopback down", lambda: transact(RTM_SETLINK, bytes(4) + (1).to_bytes(4, sys.byteorder) + bytes(4) + b"\x01\0\0\0"))
refused("an address", lambda: transact(RTM_NEWADDR, bytes([2, 8, 0, 0]) + (1).to_bytes(4, sys.byteorder) + b"\x08\0\2\0\x0a\0\0\1"))
refused("a route", lambda: transact(RTM_NEWROUTE, bytes([2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0])))
"#;
    arena.bottle().await.attack(script, &[]).await;
}
