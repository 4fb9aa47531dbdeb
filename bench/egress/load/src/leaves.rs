use std::time::{Duration, Instant};

use serde::Serialize;

use crate::figures::share;
use crate::options::Leaves;
use crate::route::Route;

/// Connecting to hosts never seen before, and to each of them once more; milliseconds, medians.
#[derive(Debug, Serialize)]
pub struct Found {
    hosts: usize,
    /// From before connecting to the end of the handshake, the first time.
    first_ms: f64,
    /// The same, the second time.
    second_ms: f64,
    /// What the first took beyond the second, host by host.
    leaf_ms: f64,
}

/// Measures one host after another.
pub async fn run(leaves: Leaves) -> anyhow::Result<Found> {
    let route = Route::new(leaves.path.clone())?;
    let (mut first, mut second, mut beyond) = (Vec::new(), Vec::new(), Vec::new());
    for host in &leaves.hosts {
        let one = handshake(&route, host, leaves.port).await?;
        let two = handshake(&route, host, leaves.port).await?;
        first.push(one);
        second.push(two);
        beyond.push(one.saturating_sub(two));
    }
    for times in [&mut first, &mut second, &mut beyond] {
        times.sort_unstable();
    }
    Ok(Found { hosts: first.len(), first_ms: share(&first, 0.5), second_ms: share(&second, 0.5), leaf_ms: share(&beyond, 0.5) })
}

async fn handshake(route: &Route, host: &str, port: u16) -> anyhow::Result<Duration> {
    let from = Instant::now();
    let stream = route.open(host, port).await?;
    let taken = from.elapsed();
    drop(stream);
    Ok(taken)
}
