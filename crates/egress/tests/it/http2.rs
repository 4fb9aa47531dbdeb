//! The service as an HTTP/2 server, against clients that break the rules: every rule of RFC 9113 and RFC 7541 that a server has to hold a client
//! to, in the order of their sections, as h2spec has them; then floods.

pub mod client;
mod compression;
mod floods;
mod frames;
mod messages;
mod streams;

use testkit::http2::{Frame, literal};

use crate::origin::Origin;
use crate::scene::{Scene, Setting, rule};

use client::{Client, Said};

/// One rule, what breaks or keeps it, and what must come of that.
struct Case {
    what: &'static str,
    sent: Vec<Frame>,
    must: Must,
}

/// What must come of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Must {
    /// The connection goes on as though nothing had been.
    Pass,
    /// The request on stream 1 gets this answer.
    Answer(u16),
    /// The stream is ended with this code (RFC 9113 §5.4.2), and the connection goes on.
    EndStream(u32),
    /// The connection is ended with this code (§5.4.1). A server may do so where a stream's end would be enough (§5.4), and h2 often does.
    EndConnection(u32),
}

use Must::{Answer, EndConnection, EndStream, Pass};

/// Error codes (RFC 9113 §7).
const PROTOCOL_ERROR: u32 = 0x1;
const FLOW_CONTROL_ERROR: u32 = 0x3;
const STREAM_CLOSED: u32 = 0x5;
const FRAME_SIZE_ERROR: u32 = 0x6;
const REFUSED_STREAM: u32 = 0x7;
const COMPRESSION_ERROR: u32 = 0x9;
const ENHANCE_YOUR_CALM: u32 = 0xb;

fn case(what: &'static str, sent: impl Into<Vec<Frame>>, must: Must) -> Case {
    Case { what, sent: sent.into(), must }
}

/// A service that may reach one origin.
async fn scene() -> (Scene, Origin) {
    let origin = Origin::tls(&["h2"]).await;
    (Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start(), origin)
}

/// Runs each case on a connection of its own. Gives how many requests reached the origin.
async fn check(cases: Vec<Case>) -> usize {
    let (scene, origin) = scene().await;
    let mut wrong = Vec::new();
    for Case { what, sent, must } in cases {
        let mut client = Client::new(&scene).await;
        client.send(&sent).await;
        let said = match must {
            Pass => Said::Nothing,
            Answer(_) => client.answer(1).await,
            EndStream(_) | EndConnection(_) => client.end().await,
        };
        let after = match said {
            Said::Nothing | Said::Answer(_) | Said::StreamEnded(_) => client.goes_on().await,
            Said::ConnectionEnded(_) | Said::Closed => client.is_over().await,
        };
        if !must.is(said) || !after {
            wrong.push(format!("{what}: {must:?}, but {said:?}, and then {after}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    origin.seen().len()
}

impl Must {
    fn is(self, said: Said) -> bool {
        match (self, said) {
            (Pass, Said::Nothing) => true,
            (Answer(wanted), Said::Answer(status)) => wanted == status,
            (EndStream(wanted), Said::StreamEnded(code)) => wanted == code,
            // PROTOCOL_ERROR is the unspecific one (RFC 9113 §7), and h2 says it for much that has a code of its own.
            (EndConnection(wanted), Said::ConnectionEnded(code)) => code == wanted || code == PROTOCOL_ERROR,
            _ => false,
        }
    }
}

/// The head of an ordinary request.
fn get() -> Vec<u8> {
    head("GET", &[])
}

/// The head of an ordinary request with a body.
fn post() -> Vec<u8> {
    head("POST", &[])
}

fn head(method: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let fields = [(":method", method), (":scheme", "https"), (":path", "/echo"), (":authority", "a.example")];
    literal(&[&fields, more].concat())
}
