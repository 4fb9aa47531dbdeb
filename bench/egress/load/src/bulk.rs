use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use anyhow::bail;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::Request;
use hyper::client::conn::http1::SendRequest;
use hyper::header::HOST;

use crate::figures::{Figures, Seen};
use crate::options::Load;
use crate::route::Route;
use crate::window::Window;

#[derive(Debug, Clone, Copy)]
pub enum Way {
    Down,
    Up,
}

/// Transfers one after another over each connection. A transfer may be longer than the window, so what counts is each
/// connection's own time: from the first transfer that began in the window to the end of the last.
pub async fn run(load: Load, way: Way) -> anyhow::Result<Figures> {
    let route = Arc::new(Route::new(load.path.clone())?);
    let window = Window::of(&load);
    let load = Arc::new(load);
    let workers: Vec<_> =
        (0..load.connections).map(|_| tokio::spawn(worker(Arc::clone(&route), Arc::clone(&load), window, way))).collect();
    let (mut seen, mut bytes_per_second) = (Seen::default(), 0.0);
    for worker in workers {
        let (one, rate) = worker.await?;
        seen.add(one);
        bytes_per_second += rate;
    }
    let figures = seen.figures(window.seconds());
    Ok(Figures { mb_per_second: bytes_per_second / 1e6, ..figures })
}

async fn worker(route: Arc<Route>, load: Arc<Load>, window: Window, way: Way) -> (Seen, f64) {
    let (mut seen, mut bytes, mut seconds) = (Seen::default(), 0, 0.0);
    while window.open() {
        let done = connection(&route, &load, window, way, &mut seen, &mut bytes, &mut seconds).await;
        if let Err(error) = done
            && !seen.failed(&error)
        {
            break;
        }
    }
    let rate = if seconds > 0.0 { bytes as f64 / seconds } else { 0.0 };
    (seen, rate)
}

async fn connection(
    route: &Route,
    load: &Load,
    window: Window,
    way: Way,
    seen: &mut Seen,
    bytes: &mut u64,
    seconds: &mut f64,
) -> anyhow::Result<()> {
    let mut sender = route.http(&load.host, load.port).await?;
    while window.open() {
        let from = Instant::now();
        transfer(&mut sender, load, way).await?;
        if window.begin <= from {
            seen.taken(from.elapsed());
            *bytes += load.bytes;
            *seconds += from.elapsed().as_secs_f64();
        }
    }
    Ok(())
}

async fn transfer(sender: &mut SendRequest<Zeros>, load: &Load, way: Way) -> anyhow::Result<()> {
    let (method, body) = match way {
        Way::Down => ("GET", Zeros { left: 0 }),
        Way::Up => ("PUT", Zeros { left: load.bytes }),
    };
    sender.ready().await?;
    let request = Request::builder().method(method).uri(&load.ask).header(HOST, load.authority()).body(body)?;
    let mut answer = sender.send_request(request).await?;
    if !answer.status().is_success() {
        bail!("answered {} to {method} {}", answer.status(), load.ask);
    }
    let mut got = 0;
    while let Some(frame) = answer.frame().await {
        got += frame?.data_ref().map_or(0, Bytes::len) as u64;
    }
    match way {
        Way::Down if got != load.bytes => bail!("{got} bytes instead of {}", load.bytes),
        Way::Down | Way::Up => Ok(()),
    }
}

/// A body of so many zeros, made as it is sent.
pub struct Zeros {
    pub left: u64,
}

const PIECE: usize = 64 * 1024;
static ZEROS: [u8; PIECE] = [0; PIECE];

impl Body for Zeros {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.left.min(PIECE as u64);
        if length == 0 {
            return Poll::Ready(None);
        }
        self.left -= length;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&ZEROS[..length as usize])))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
