//! The stream between the session and a container's first process, as descriptors that the bridge takes.

use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;

use bollard::Docker;
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::errors::Error;
use bollard::query_parameters::AttachContainerOptions;
use futures_core::Stream;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::JoinSet;

use helper::session::{Bridged, bridged};

/// What the first process says before it serves.
const HELLO: &[u8] = helper::HELLO;
/// How much is copied at once.
const CHUNK: usize = 128 << 10;
/// Most that is kept of what it complains.
const LONGEST_COMPLAINT: usize = 4096;

type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;

/// An attached container whose first process serves.
pub struct Attached {
    /// The session's end of the control stream.
    pub control: OwnedFd,
    /// Copies the stream; dropping it breaks it off.
    pub copying: JoinSet<()>,
}

/// A container that is attached to and not yet started.
pub struct Attaching {
    output: Output,
    input: Pin<Box<dyn AsyncWrite + Send>>,
}

/// Attaches, before the start, so that nothing it says is missed.
pub async fn attach(api: &Docker, container: &str) -> Result<Attaching, Error> {
    let options =
        AttachContainerOptions { stream: true, stdin: true, stdout: true, stderr: true, ..AttachContainerOptions::default() };
    let AttachContainerResults { output, input } = api.attach_container(container, Some(options)).await?;
    Ok(Attaching { output, input })
}

impl Attaching {
    /// Waits until the first process says that it serves. `Err` holds what it complains instead. Copies on the runtime that it is
    /// called on.
    pub async fn served(mut self) -> Result<Attached, String> {
        let mut said = Vec::new();
        let mut complaint = Complaint::default();
        while said.len() < HELLO.len() {
            match next(&mut self.output).await {
                Some(Ok(LogOutput::StdOut { message } | LogOutput::Console { message })) => said.extend_from_slice(&message),
                Some(Ok(LogOutput::StdErr { message })) => complaint.add(&message),
                Some(Ok(LogOutput::StdIn { .. })) => {}
                Some(Err(error)) => return Err(crate::engine::text(&error)),
                None => return Err(complaint.text()),
            }
        }
        let Some(rest) = said.strip_prefix(HELLO) else { return Err("its first process is not the helper".to_owned()) };
        self.bridge(rest.to_vec()).map_err(|error| error.to_string())
    }

    fn bridge(self, early: Vec<u8>) -> io::Result<Attached> {
        let (stream, other) = std::os::unix::net::UnixStream::pair()?;
        let outgoing = OwnedFd::from(other.try_clone()?);
        let Bridged { control, .. } = bridged(other.into(), outgoing)?;
        stream.set_nonblocking(true)?;
        let (mut from_bridge, mut to_bridge) = UnixStream::from_std(stream)?.into_split();
        let Self { mut output, mut input } = self;
        let mut copying = JoinSet::new();
        copying.spawn(async move {
            let mut buffer = vec![0; CHUNK];
            while let Ok(got @ 1..) = from_bridge.read(&mut buffer).await {
                if input.write_all(buffer.get(..got).unwrap_or_default()).await.is_err() || input.flush().await.is_err() {
                    break;
                }
            }
            let _ = input.shutdown().await;
        });
        copying.spawn(async move {
            if to_bridge.write_all(&early).await.is_err() {
                return;
            }
            while let Some(Ok(said)) = next(&mut output).await {
                match said {
                    LogOutput::StdOut { message } | LogOutput::Console { message } => {
                        if to_bridge.write_all(&message).await.is_err() {
                            return;
                        }
                    }
                    LogOutput::StdErr { .. } | LogOutput::StdIn { .. } => {}
                }
            }
        });
        Ok(Attached { control, copying })
    }
}

async fn next(output: &mut Output) -> Option<Result<LogOutput, Error>> {
    std::future::poll_fn(|context| output.as_mut().poll_next(context)).await
}

/// What the first process complains, as far as it is kept.
#[derive(Default)]
struct Complaint(Vec<u8>);

impl Complaint {
    fn add(&mut self, bytes: &[u8]) {
        let room = LONGEST_COMPLAINT.saturating_sub(self.0.len());
        self.0.extend(bytes.iter().take(room));
    }

    fn text(&self) -> String {
        match String::from_utf8_lossy(&self.0).trim() {
            "" => "its first process ended without a word".to_owned(),
            text => text.to_owned(),
        }
    }
}
