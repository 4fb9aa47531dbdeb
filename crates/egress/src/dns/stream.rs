use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::MESSAGE_MAX;

/// Bounds of one DNS connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLimits {
    /// How long one query may take to arrive, the wait for it included, and its answer to be taken.
    pub each: Duration,
    /// Queries that are answered before the connection is closed; a resolver opens another.
    pub queries: usize,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self { each: Duration::from_secs(10), queries: 100 }
    }
}

/// Answers the queries of one connection, each behind its length in two bytes (RFC 1035 §4.2.2), one after the other.
/// `answer` gives the message to send back; empty: the connection is closed.
///
/// # Errors
/// When the connection breaks or a deadline passes.
pub async fn serve_stream<S>(stream: &mut S, limits: StreamLimits, mut answer: impl FnMut(&[u8]) -> Vec<u8>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    for _ in 0..limits.queries {
        let Some(query) = timeout(limits.each, read_query(stream)).await?? else { break };
        let bytes = answer(&query);
        let Some(length) = u16::try_from(bytes.len()).ok().filter(|length| *length > 0) else { break };
        // One write: RFC 7766 §8 asks for length and message in one segment.
        let framed = [&length.to_be_bytes()[..], &bytes].concat();
        timeout(limits.each, stream.write_all(&framed)).await??;
    }
    timeout(limits.each, stream.shutdown()).await?
}

/// The next query; `None` when the peer has closed, or announces more than is ever read.
async fn read_query<S: AsyncRead + Unpin + ?Sized>(stream: &mut S) -> io::Result<Option<Vec<u8>>> {
    let length = match stream.read_u16().await {
        Ok(length) => usize::from(length),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    if length == 0 || length > MESSAGE_MAX {
        return Ok(None);
    }
    let mut query = vec![0; length];
    stream.read_exact(&mut query).await?;
    Ok(Some(query))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::{StreamLimits, serve_stream};

    const LIMITS: StreamLimits = StreamLimits { each: Duration::from_secs(10), queries: 3 };

    async fn exchange(sent: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
        let (mut near, mut far) = duplex(64 * 1024);
        let mut seen = Vec::new();
        let serving = async {
            let _ = serve_stream(&mut far, LIMITS, |query| {
                seen.push(query.to_vec());
                query.to_ascii_uppercase()
            })
            .await;
            drop(far);
        };
        let asking = async {
            near.write_all(sent).await.unwrap();
            near.shutdown().await.unwrap();
            let mut all = Vec::new();
            near.read_to_end(&mut all).await.unwrap();
            all
        };
        let ((), all) = tokio::join!(serving, asking);
        (all, seen)
    }

    #[tokio::test]
    async fn queries_are_answered_in_turn_up_to_the_bound() {
        let (all, seen) = exchange(b"\0\x01a\0\x02bc\0\x01d\0\x01e").await;
        assert_eq!(all, b"\0\x01A\0\x02BC\0\x01D");
        assert_eq!(seen, [&b"a"[..], b"bc", b"d"]);
    }

    #[tokio::test]
    async fn empty_oversized_and_cut_queries_end_the_connection() {
        for sent in [&b"\0\0"[..], b"\xff\xffabc", b"\0\x05ab", b"\0"] {
            let (all, seen) = exchange(sent).await;
            assert!(all.is_empty() && seen.is_empty(), "{sent:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_query_meets_the_deadline() {
        let (mut near, mut far) = duplex(1024);
        near.write_all(b"\0\x05a").await.unwrap();
        let error = serve_stream(&mut far, LIMITS, <[u8]>::to_vec).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    }
}
