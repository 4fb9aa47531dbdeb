use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::door::Door;
use super::thread::Thread;

/// A server that says exactly these bytes to whoever sent a head, and closes: answers that no honest server gives.
#[derive(Debug)]
pub struct RawOrigin {
    thread: Thread,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl RawOrigin {
    /// Says `answer` after the empty line that ends a head.
    pub fn new(door: Door, answer: impl Into<Vec<u8>>) -> Self {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (config, answer, hearing): (_, Arc<[u8]>, _) = (door.config(), answer.into().into(), heard.clone());
        let thread = Thread::start(move |listener| async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                tokio::spawn(connection(stream, config.clone(), answer.clone(), hearing.clone()));
            }
        });
        Self { thread, heard }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.thread.address
    }

    /// What each connection sent up to the end of its first head, in order.
    pub fn heard(&self) -> Vec<Vec<u8>> {
        self.heard.lock().unwrap().clone()
    }
}

async fn connection(stream: TcpStream, tls: Option<Arc<ServerConfig>>, answer: Arc<[u8]>, heard: Arc<Mutex<Vec<Vec<u8>>>>) {
    match tls {
        None => converse(stream, answer, heard).await,
        Some(config) => {
            if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                converse(stream, answer, heard).await;
            }
        }
    }
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: Arc<[u8]>, heard: Arc<Mutex<Vec<Vec<u8>>>>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let Ok(1..) = stream.read_buf(&mut head).await else { break };
    }
    heard.lock().unwrap().push(head);
    let _ = stream.write_all(&answer).await;
    let _ = stream.shutdown().await;
}
