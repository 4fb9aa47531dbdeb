//! Connects to every port of the loopback and of a cloud's metadata service, and to addresses of the network around.

use std::collections::BTreeSet;

use bottle::{Destination, User};

use super::{Arena, Subject};

/// Tries ports of one address, each in its own short connection, and prints those that were taken.
const TRY: &str = r#"
address, ports = sys.argv[1], sys.argv[2]
first, last = map(int, ports.split("-"))
family = socket.AF_INET6 if ":" in address else socket.AF_INET
none = REFUSED + (errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EINVAL)
for port in range(first, last + 1):
    tried += 1
    with socket.socket(family) as attempt:
        try:
            attempt.connect((address, port))
            if attempt.getsockname() == attempt.getpeername():
                continue  # met itself: the port it was given is the one it asked for
            print(port)
        except OSError as error:
            held(f"{address}:{port}: {error}", error.errno in none)
"#;

/// What is connected to arrives at the outlet under the very address that was asked for, or is refused.
pub async fn every_port(arena: &Arena) {
    let mut subject = arena.bottle().await;
    for (address, ports, met) in [("127.0.0.1", "1-65535", true), ("169.254.169.254", "1-1024", arena.capabilities().transparent)]
    {
        let arrived = all_at_the_outlet(&mut subject, address, ports).await;
        assert_eq!(!arrived.is_empty(), met, "the outlet at {address}");
    }
}

/// Metadata services, the network around, public resolvers, other families: only the outlet ever hears of them.
pub async fn foreign_addresses(arena: &Arena) {
    let mut subject = arena.bottle().await;
    for address in [
        "169.254.169.254",
        "fd00:ec2::254",
        "100.100.100.200",
        "10.0.0.1",
        "172.17.0.1",
        "192.168.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "8.8.8.8",
        "2001:4860:4860::8888",
        "fe80::1",
        "64:ff9b::a9fe:a9fe",
        "::ffff:10.0.0.1",
    ] {
        for ports in ["22-22", "53-53", "80-80", "443-443", "8080-8080", "2375-2376"] {
            all_at_the_outlet(&mut subject, address, ports).await;
        }
    }
    assert!(subject.nothing_else_arrived());
}

async fn all_at_the_outlet(subject: &mut Subject, address: &str, ports: &str) -> BTreeSet<u16> {
    let printed = subject.attack_as(User::Node, TRY, &[address, ports]).await;
    let taken: BTreeSet<u16> = printed.lines().filter_map(|line| line.parse().ok()).collect();
    let arrived = subject.arrivals(taken.len()).await.into_iter().map(|destination| match destination {
        Destination::Proxy => 3128,
        Destination::Transparent(to) => {
            assert_eq!(to.ip(), address.parse::<std::net::IpAddr>().expect("an address").to_canonical());
            to.port()
        }
    });
    assert_eq!(arrived.collect::<BTreeSet<_>>(), taken, "{address}");
    taken
}
