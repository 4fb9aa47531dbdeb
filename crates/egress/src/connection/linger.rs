use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

/// How long the other end may take to read the last answer and close.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most bytes that are read and thrown away meanwhile.
const MOST: usize = 4 * 1024 * 1024;

/// Closes a connection and reads on until the other end closes it too: closing with unread bytes would reset the connection,
/// and the other end might never see the answer (RFC 9112 §9.6).
pub(super) async fn linger(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let closing = async {
        stream.shutdown().await?;
        let mut rest = vec![0; 16 * 1024];
        let mut read = 0;
        while read < MOST {
            match stream.read(&mut rest).await? {
                0 => break,
                count => read += count,
            }
        }
        std::io::Result::Ok(())
    };
    // The other end may be gone, or slow: then there is nobody to be kind to.
    let _ = timeout(PATIENCE, closing).await;
}

/// Says the last words on a connection and closes it.
pub(super) async fn say(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), words: &[u8]) {
    if let Ok(Ok(())) = timeout(PATIENCE, stream.write_all(words)).await {
        linger(stream).await;
    }
}
