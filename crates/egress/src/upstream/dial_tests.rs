use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use policy::{Cidr, Code, Host, Transport};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::{TRIED, dial, interleaved};
use crate::upstream::Target;
use crate::upstream::checked::Checked;
use crate::upstream::way::Way;

fn target() -> Target {
    Target { host: Host::parse("api.example.org").unwrap(), port: 443, transport: Transport::Tls }
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn closed_port() -> SocketAddr {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn goes_on_to_the_next_address_when_one_refuses() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let open = listener.local_addr().unwrap();
    let addresses = [closed_port(), closed_port(), open].map(Checked::named);
    let stream = dial(&addresses, &target(), deadline()).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap(), open);
    assert!(stream.nodelay().unwrap());
}

#[tokio::test]
async fn says_what_refused() {
    for addresses in [vec![closed_port()], vec![closed_port(), closed_port()]] {
        let addresses: Vec<_> = addresses.into_iter().map(Checked::named).collect();
        let failure = dial(&addresses, &target(), deadline()).await.unwrap_err();
        assert_eq!(failure.code, Code::UpstreamUnreachable);
        assert_eq!(failure.message, "connecting to api.example.org:443: connection refused");
    }
}

#[tokio::test]
async fn a_passed_deadline_is_a_failure() {
    let failure = dial(&[Checked::named("192.0.2.1:443".parse().unwrap())], &target(), Instant::now()).await.unwrap_err();
    assert_eq!(failure.code, Code::UpstreamUnreachable);
}

/// A public address on an interface of the host's cannot be had in a test; loopback stands for it, opened by a rule for the
/// whole of 127.0.0.0/8, and its mark is then taken away.
#[tokio::test]
async fn a_connection_to_the_host_itself_is_given_up_unless_named() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let way = Way { addresses: vec![Cidr::parse("127.0.0.0/8").unwrap()], dial: None };
    let named = Checked::all(&[address], &way, &target()).unwrap();
    assert!(dial(&named, &target(), deadline()).await.is_ok());
    let unnamed = [Checked::unnamed_for_tests(address)];
    let failure = dial(&unnamed, &target(), deadline()).await.unwrap_err();
    assert_eq!(failure.code, Code::PrivateAddress);
    assert!(failure.message.contains("this host itself"), "{failure}");
}

#[test]
fn families_take_turns_and_the_first_choice_stays_first() {
    let order = |addresses: &[&str]| {
        let checked: Vec<_> = addresses.iter().map(|ip| Checked::named(SocketAddr::new(ip.parse().unwrap(), 1))).collect();
        interleaved(&checked).iter().map(|checked| checked.address().ip()).collect::<Vec<IpAddr>>()
    };
    let parsed = |addresses: &[&str]| addresses.iter().map(|ip| ip.parse().unwrap()).collect::<Vec<IpAddr>>();
    assert_eq!(order(&["::1", "::2", "::3", "1.1.1.1"]), parsed(&["::1", "1.1.1.1", "::2", "::3"]));
    assert_eq!(order(&["1.1.1.1", "::1"]), parsed(&["1.1.1.1", "::1"]));
    assert_eq!(order(&[]), parsed(&[]));
    assert_eq!(order(&["1.1.1.1"; 20]).len(), TRIED);
}
