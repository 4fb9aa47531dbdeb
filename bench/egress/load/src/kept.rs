use std::sync::Arc;
use std::time::Instant;

use anyhow::bail;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1::SendRequest;
use hyper::header::HOST;

use crate::figures::{Figures, Seen};
use crate::options::Load;
use crate::route::Route;
use crate::window::Window;

/// As many connections as asked for, each with one request after another.
pub async fn run(load: Load) -> anyhow::Result<Figures> {
    let route = Arc::new(Route::new(load.path.clone())?);
    let window = Window::of(&load);
    let load = Arc::new(load);
    let workers: Vec<_> =
        (0..load.connections).map(|_| tokio::spawn(worker(Arc::clone(&route), Arc::clone(&load), window))).collect();
    let mut seen = Seen::default();
    for worker in workers {
        seen.add(worker.await?);
    }
    Ok(seen.figures(window.seconds()))
}

async fn worker(route: Arc<Route>, load: Arc<Load>, window: Window) -> Seen {
    let mut seen = Seen::default();
    while window.open() {
        if let Err(error) = connection(&route, &load, window, &mut seen).await
            && !seen.failed(&error)
        {
            break;
        }
    }
    seen
}

async fn connection(route: &Route, load: &Load, window: Window, seen: &mut Seen) -> anyhow::Result<()> {
    let mut sender = route.http(&load.host, load.port).await?;
    while window.open() {
        let from = Instant::now();
        get(&mut sender, load).await?;
        seen.answered(&window, from);
    }
    Ok(())
}

/// One request, answered to its last byte.
pub async fn get(sender: &mut SendRequest<Empty<Bytes>>, load: &Load) -> anyhow::Result<()> {
    sender.ready().await?;
    let request = Request::get(&load.ask).header(HOST, load.authority()).body(Empty::new())?;
    let mut answer = sender.send_request(request).await?;
    if answer.status() != 200 {
        bail!("answered {} to GET {}", answer.status(), load.ask);
    }
    let mut got = 0;
    while let Some(frame) = answer.frame().await {
        got += frame?.data_ref().map_or(0, Bytes::len) as u64;
    }
    if got != load.bytes {
        bail!("{got} bytes instead of {}", load.bytes);
    }
    Ok(())
}
