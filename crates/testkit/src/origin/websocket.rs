//! The server's side of RFC 6455, without extensions.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use data_encoding::BASE64;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// RFC 6455, section 1.3.
const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const LARGEST: u64 = 64 * 1024 * 1024;

/// A WebSocket after its opening.
pub struct WebSocket {
    stream: TokioIo<hyper::upgrade::Upgraded>,
}

/// What a client said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

/// The headers that accept a client's opening (section 4.2.2). `None`: it is none.
pub(super) fn accept(request: &HeaderMap) -> Option<[(HeaderName, HeaderValue); 3]> {
    let key = request.get("sec-websocket-key")?.to_str().ok()?;
    let accepted = BASE64.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{MAGIC}").as_bytes()).as_ref());
    Some([
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::CONNECTION, HeaderValue::from_static("Upgrade")),
        (header::SEC_WEBSOCKET_ACCEPT, HeaderValue::try_from(accepted).ok()?),
    ])
}

impl WebSocket {
    pub(super) fn new(stream: TokioIo<hyper::upgrade::Upgraded>) -> Self {
        Self { stream }
    }

    /// The next message, put together from its fragments; pings are answered. `None` when the client is gone.
    ///
    /// # Panics
    /// When a frame is not masked, or uses what was not agreed: the client, or a proxy before it, is wrong.
    pub async fn next(&mut self) -> Option<Message> {
        let (mut kind, mut message) = (0, Vec::new());
        loop {
            let (first, payload) = self.frame().await?;
            match first & 0x0f {
                0..=2 => {
                    assert_eq!(first & 0x70, 0, "no extension was agreed");
                    if first & 0x0f != 0 {
                        kind = first & 0x0f;
                    }
                    message.extend(payload);
                    if first & 0x80 == 0 {
                        continue;
                    }
                    return Some(if kind == 1 {
                        Message::Text(String::from_utf8(message).unwrap())
                    } else {
                        Message::Binary(message)
                    });
                }
                8 => {
                    self.send(8, &payload).await;
                    return None;
                }
                9 => self.send(10, &payload).await,
                _ => {}
            }
        }
    }

    /// Sends text; without effect when the client is gone.
    pub async fn send_text(&mut self, text: &str) {
        self.send(1, text.as_bytes()).await;
    }

    /// Sends bytes; without effect when the client is gone.
    pub async fn send_binary(&mut self, bytes: &[u8]) {
        self.send(2, bytes).await;
    }

    /// One frame: its first byte, its payload unmasked (section 5.2).
    async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = self.stream.read_u8().await.ok()?;
        let second = self.stream.read_u8().await.ok()?;
        assert_ne!(second & 0x80, 0, "a client masks its frames");
        let length = match second & 0x7f {
            126 => u64::from(self.stream.read_u16().await.ok()?),
            127 => self.stream.read_u64().await.ok()?,
            short => u64::from(short),
        };
        assert!(length <= LARGEST, "a frame of {length} bytes");
        let mut mask = [0; 4];
        self.stream.read_exact(&mut mask).await.ok()?;
        let mut payload = vec![0; usize::try_from(length).ok()?];
        self.stream.read_exact(&mut payload).await.ok()?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        Some((first, payload))
    }

    async fn send(&mut self, kind: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | kind];
        match payload.len() {
            short @ 0..=125 => frame.push(short as u8),
            middle @ 126..=0xffff => {
                frame.push(126);
                frame.extend((middle as u16).to_be_bytes());
            }
            long => {
                frame.push(127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        frame.extend_from_slice(payload);
        let _ = self.stream.write_all(&frame).await;
        let _ = self.stream.flush().await;
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    #[test]
    fn accepts_as_the_specification_says() {
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        let headers = HeaderMap::from_iter([(http::header::SEC_WEBSOCKET_KEY, key)]);
        let [.., (_, accepted)] = super::accept(&headers).unwrap();
        assert_eq!(accepted, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
