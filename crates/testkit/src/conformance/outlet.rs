//! The only way out.

use bottle::{Arrival, Destination, Exec, Output};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{BOUND, Room};
use crate::probe::{WENT_WRONG, pattern};

/// Lets a program in the bottle connect to `address`; returns where that arrives. What it gets back must be what was sent.
async fn converse(room: &mut Room, address: &str, answer: &[u8]) -> Destination {
    let run = exec(room, room.probe(&["connect", address, "from inside"]));
    let serve = async {
        let (destination, mut stream) = room.connection().await;
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        assert_eq!(said, "from inside");
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
        destination
    };
    let (output, destination) = tokio::join!(run, serve);
    assert!(output.stdout == answer, "{} of {} bytes came back from {address}", output.stdout.len(), answer.len());
    destination
}

/// Runs a program without holding on to the room, whose outlet is needed meanwhile.
fn exec(room: &Room, exec: Exec) -> impl Future<Output = Output> + use<> {
    let bottle = room.bottle.clone();
    async move { timeout(BOUND, bottle.exec(exec)).await.expect("the program ends").expect("the program runs") }
}

pub(super) async fn the_explicit_proxy_is_reached(mut room: Room) {
    assert_eq!(converse(&mut room, Room::PROXY, b"from outside").await, Destination::Proxy);
    assert_eq!(converse(&mut room, Room::PROXY, &pattern(4, 5_000_000)).await, Destination::Proxy);
    room.close().await;
}

pub(super) async fn connections_arrive_with_their_destination(mut room: Room) {
    if room.bottle.capabilities().transparent {
        for address in ["203.0.113.7:443", "198.18.0.99:80", "10.0.0.1:443", "169.254.169.254:80", "[2001:db8::7]:443"] {
            let destination = converse(&mut room, address, b"from outside").await;
            assert_eq!(destination, Destination::Transparent(address.parse().unwrap()));
        }
    } else {
        let output = room.run(room.probe(&["connect", "203.0.113.7:443", "x"])).await;
        assert_eq!(output.status.code(), WENT_WRONG, "there is no other way out");
    }
    room.close().await;
}

pub(super) async fn names_are_asked_for_and_answered(mut room: Room) {
    if !room.bottle.capabilities().transparent {
        return room.close().await;
    }
    let resolvers = String::from_utf8(room.ok(&["read", "/etc/resolv.conf"]).await).unwrap();
    let own = resolvers.lines().find_map(|line| line.strip_prefix("nameserver ")).expect("a resolver of its own");
    for resolver in [format!("{}:53", own.trim()), "8.8.8.8:53".to_owned()] {
        let run = exec(&room, room.probe(&["ask", &resolver, "00ff10"]));
        let serve = async {
            match room.arrival().await {
                Arrival::Datagram { destination, payload, reply } => {
                    assert_eq!(destination, Destination::Transparent(resolver.parse().unwrap()));
                    assert_eq!(payload, [0x00, 0xff, 0x10]);
                    reply.send(b"\x01\xfe").await.unwrap();
                }
                Arrival::Stream { destination, .. } => panic!("a connection to {destination:?} instead of a datagram"),
            }
        };
        let (output, ()) = tokio::join!(run, serve);
        assert_eq!(output.stdout, b"01fe", "{}", String::from_utf8_lossy(&output.stderr));
    }
    room.close().await;
}

/// A connection through the proxy afterwards is the fence: whatever had left would have arrived before it.
pub(super) async fn nothing_else_leaves(mut room: Room) {
    for address in ["203.0.113.7:123", "203.0.113.7:443", "[2001:db8::7]:443", "224.0.0.251:5353"] {
        let output = room.run(room.probe(&["ask", address, "00"])).await;
        assert_eq!(output.status.code(), WENT_WRONG, "a datagram to {address} was answered");
    }
    assert_eq!(converse(&mut room, Room::PROXY, b"fence").await, Destination::Proxy);
    room.close().await;
}

pub(super) async fn waiting_for_arrivals_can_be_cancelled(mut room: Room) {
    for _ in 0..3 {
        tokio::select! {
            biased;
            arrival = room.outlet.accept() => panic!("nothing has left, and yet {:?} arrived", arrival.map(drop)),
            () = tokio::task::yield_now() => {}
        }
        assert_eq!(converse(&mut room, Room::PROXY, b"fine").await, Destination::Proxy);
    }
    room.close().await;
}

pub(super) async fn without_an_outlet_nothing_is_reached_and_programs_still_run(room: Room) {
    let Room { harness, bottle, outlet } = room;
    drop(outlet);
    let room = Room { harness, bottle, outlet: Box::new(NoOutlet) };
    for address in [Room::PROXY, "203.0.113.7:443"] {
        let output = room.run(room.probe(&["connect", address, "anybody?"])).await;
        assert_eq!(output.status.code(), WENT_WRONG, "{address} was reached");
    }
    assert_eq!(room.ok(&["args", "still"]).await, b"7374696c6c\n");
    room.close().await;
}

struct NoOutlet;

#[async_trait::async_trait]
impl bottle::Outlet for NoOutlet {
    async fn accept(&mut self) -> Result<Arrival, bottle::OutletError> {
        Err(bottle::OutletError::Gone)
    }
}
