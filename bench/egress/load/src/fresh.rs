use std::sync::Arc;
use std::time::Instant;

use crate::figures::{Figures, Seen};
use crate::kept::get;
use crate::options::Load;
use crate::route::Route;
use crate::window::Window;

/// As many at once as asked for, each connecting, shaking hands, asking once and closing, again and again.
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
        let from = Instant::now();
        match once(&route, &load).await {
            Ok(()) => seen.answered(&window, from),
            Err(error) if seen.failed(&error) => {}
            Err(_) => break,
        }
    }
    seen
}

async fn once(route: &Route, load: &Load) -> anyhow::Result<()> {
    get(&mut route.http(&load.host, load.port).await?, load).await
}
