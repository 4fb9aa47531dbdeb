use testkit::http2::{ACK, Frame, Kind, PREFACE, status};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio_rustls::client::TlsStream;

use crate::scene::{Scene, within};

/// A client that sends what it is told to.
pub struct Client {
    pub stream: TlsStream<DuplexStream>,
}

/// What the server says of what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// An answer with this status.
    Answer(u16),
    /// RST_STREAM with this code.
    StreamEnded(u32),
    /// GOAWAY with this code.
    ConnectionEnded(u32),
    /// Nothing of it: it goes on.
    Nothing,
    /// Nothing: it closed the connection.
    Closed,
}

impl Client {
    /// One that has shaken hands over TLS and sent nothing.
    pub async fn silent(scene: &Scene) -> Self {
        let tunnel = scene.tunnel("a.example:443").await;
        Self { stream: scene.tls(tunnel, "a.example", &["h2"]).await.unwrap() }
    }

    /// One whose settings and whose server's are known to both (RFC 9113 §3.4).
    pub async fn new(scene: &Scene) -> Self {
        let mut client = Self::silent(scene).await;
        client.write(PREFACE).await;
        client.send(&[Frame::settings(&[])]).await;
        let (mut theirs, mut ours) = (false, false);
        while !(theirs && ours) {
            let frame = client.frame().await.unwrap();
            if frame.kind == Kind::Settings && frame.flags & ACK == 0 {
                theirs = true;
                client.send(&[Frame::settings(&[]).with(ACK)]).await;
            }
            ours |= frame.kind == Kind::Settings && frame.flags & ACK == ACK;
        }
        client
    }

    /// Sends frames. What is sent after the server has closed is lost.
    pub async fn send(&mut self, frames: &[Frame]) {
        self.write(&frames.iter().flat_map(Frame::bytes).collect::<Vec<_>>()).await;
    }

    /// Sends bytes.
    pub async fn write(&mut self, bytes: &[u8]) {
        let _ = within(self.stream.write_all(bytes)).await;
        let _ = within(self.stream.flush()).await;
    }

    /// The next frame. `None` when the server has closed.
    pub async fn frame(&mut self) -> Option<Frame> {
        within(Frame::read(&mut self.stream)).await.unwrap_or(None)
    }

    /// Waits for the answer on a stream, or for the end of any.
    pub async fn answer(&mut self, stream: u32) -> Said {
        loop {
            match self.frame().await {
                None => return Said::Closed,
                Some(frame) if frame.kind == Kind::Headers && frame.stream == stream => {
                    return Said::Answer(status(&frame.payload).unwrap());
                }
                Some(frame) => match ended(&frame) {
                    None => {}
                    Some(ended) => return ended,
                },
            }
        }
    }

    /// Waits for the end of a stream or of the connection. Answers are passed over: they may cross what was sent.
    pub async fn end(&mut self) -> Said {
        // Echoes overtake what else is to be said, but not for long.
        for number in 0..4 {
            let echo = [number; 8];
            self.send(&[Frame::ping(echo)]).await;
            loop {
                match self.frame().await {
                    None => return Said::Closed,
                    Some(frame) if frame.kind == Kind::Ping && frame.flags & ACK == ACK && frame.payload == echo => break,
                    Some(frame) => match ended(&frame) {
                        None => {}
                        Some(ended) => return ended,
                    },
                }
            }
        }
        Said::Nothing
    }

    /// Whether it still answers, and has ended nothing meanwhile.
    pub async fn goes_on(&mut self) -> bool {
        self.end().await == Said::Nothing
    }

    /// Whether it says nothing more and closes.
    pub async fn is_over(&mut self) -> bool {
        let mut rest = Vec::new();
        let _ = within(self.stream.read_to_end(&mut rest)).await;
        rest.is_empty()
    }
}

fn ended(frame: &Frame) -> Option<Said> {
    let code = frame.code()?;
    Some(if frame.kind == Kind::GoAway { Said::ConnectionEnded(code) } else { Said::StreamEnded(code) })
}
