//! Spells addresses as resolvers, libraries and kernels understand them, in the hope that one means another place to us.

use std::net::{IpAddr, Ipv4Addr, TcpListener};

use bottle::{Destination, User};

use super::Arena;

/// Prints where each spelling led, as the kernel has it, or nothing.
const SPELL: &str = r#"
port = int(sys.argv[1])
none = REFUSED + (errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EINVAL)
SPELLINGS = """127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0X7F.1 0177.0.0.1 017700000001 127.0.0.01 0 0.0 0x0
    169.254.169.254 169.254.43518 0xa9fea9fe 2852039166 0251.0376.0251.0376 169.16689662
    10.1 192.168.257 0xac100001 100.6553701 198.18.1 0xc6120001
    ::1 0:0:0:0:0:0:0:1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::127.0.0.1 ::ffff:169.254.169.254 ::ffff:a9fe:a9fe 64:ff9b::a9fe:a9fe
    2002:7f00:1:: fd00:ec2::254 fe80::1%lo fec0::1 ::ffff:0:127.0.0.1""".split()
for spelling in SPELLINGS:
    for to in (80, port):
        tried += 1
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(spelling, to, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)[0]
            with socket.socket(family, kind, protocol) as attempt:
                attempt.settimeout(None if TRANSPARENT else 1)
                attempt.connect(address)
                print(attempt.getpeername()[0].split("%")[0], to)
        except TimeoutError:
            pass  # nobody is there
        except OSError as error:
            held(f"{spelling} {to}: {error}", error.errno in none)
"#;

/// Whatever the spelling, the connection arrives at the outlet under the one address that it means, and no service of the host's hears it.
pub async fn address_spellings(arena: &Arena) {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a listener");
    let port = listener.local_addr().expect("its address").port();
    let mut subject = arena.bottle().await;
    let printed = subject.attack_as(User::Node, SPELL, &[&port.to_string()]).await;
    let led: Vec<(IpAddr, &str)> = printed
        .lines()
        .map(|line| line.split_once(' ').expect("an address and a port"))
        .map(|(address, port)| (address.parse::<IpAddr>().expect("an address").to_canonical(), port))
        .collect();
    assert_eq!(led.len() > 20, arena.capabilities().transparent, "{led:?}");
    assert!(led.iter().all(|(_, port)| *port == "80"), "{led:?}");
    let arrived = subject.arrivals(led.len()).await.into_iter().map(|destination| match destination {
        Destination::Transparent(to) => to.ip(),
        Destination::Proxy => panic!("nobody asked the proxy"),
    });
    let mut arrived: Vec<IpAddr> = arrived.collect();
    let mut led: Vec<IpAddr> = led.into_iter().map(|(address, _)| address).collect();
    arrived.sort();
    led.sort();
    assert_eq!(arrived, led);
    listener.set_nonblocking(true).expect("a socket");
    assert!(listener.accept().is_err(), "somebody connected");
}
