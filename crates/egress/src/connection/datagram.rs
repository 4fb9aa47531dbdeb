use std::time::Duration;

use bottle::{Destination, Reply};
use policy::Code;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::linger::linger;
use super::serve::{Wire, destination_text};
use crate::records::Refused;
use crate::state::Shared;
use crate::{dns, refusal};

/// How long the system may take to put an answer into the bottle's queue.
const PATIENCE: Duration = Duration::from_secs(1);

/// Answers one datagram: DNS, out of what policy allows; nothing is ever passed on.
pub(crate) async fn datagram(shared: &Shared, destination: Destination, payload: &[u8], reply: Box<dyn Reply>) {
    let answer = answer(shared, &destination_text(destination), payload);
    if !answer.is_empty() {
        // Who asked may be gone.
        let _ = timeout(PATIENCE, reply.send(&answer)).await;
    }
}

/// Most queries that one connection may ask.
const QUERIES: usize = 100;

/// Answers DNS over TCP (RFC 7766): each query and answer with its length in two bytes before it.
pub(super) async fn stream(shared: &Shared, destination: &str, mut wire: Wire) {
    for _ in 0..QUERIES {
        let exchange = async {
            let length = wire.read_u16().await?;
            let mut query = vec![0; usize::from(length)];
            wire.read_exact(&mut query).await?;
            let answer = answer(shared, destination, &query);
            let Ok(length @ 1..) = u16::try_from(answer.len()) else { return Err(std::io::ErrorKind::InvalidData.into()) };
            wire.write_all(&[&length.to_be_bytes()[..], &answer].concat()).await
        };
        // Who is slow, or asks what has no answer, is done.
        if !matches!(timeout(shared.limits.head, exchange).await, Ok(Ok(()))) {
            break;
        }
    }
    linger(&mut wire).await;
}

/// The answer to one query; what was refused is recorded.
pub(super) fn answer(shared: &Shared, destination: &str, query: &[u8]) -> Vec<u8> {
    let answer = dns::answer(query, &shared.table(), &shared.names);
    if let Some(asked) = answer.refused {
        let refusal = refusal::because(Code::HostNotAllowed, "the name is of no host that this bottle may reach".to_owned());
        shared.records.refused(Refused { refusal: &refusal, destination, kind: "dns", asked });
    }
    answer.bytes
}
