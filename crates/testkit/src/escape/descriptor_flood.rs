//! Opens descriptors without end, and stuffs them into sockets in flight, where no limit of the process sees them.

use bottle::User;

use super::Arena;

/// The process meets its own limit; other programs, another bottle and the host's own descriptors do not notice.
pub async fn descriptor_flood(arena: &Arena) {
    let (subject, neighbour) = (arena.bottle().await, arena.bottle().await);
    let flood = r#"
def flood():
    keep = []
    try:
        while True:
            keep.append(os.dup(0))
    finally:
        for descriptor in keep:
            os.close(descriptor)
refused("descriptors without end", flood, (errno.EMFILE, errno.ENFILE))
def in_flight():
    while True:
        left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        socket.send_fds(left, [b"x"], [left.fileno(), right.fileno()] * 100)
        os.dup(left.fileno())
refused("descriptors in flight", in_flight, (errno.EMFILE, errno.ENFILE, errno.ETOOMANYREFS))
"#;
    subject.attack_as(User::Node, flood, &[]).await;
    subject.assert_usable().await;
    neighbour.assert_usable().await;
}
