//! Makes requests, directly or through a proxy, and says how fast they were answered.
//!
//! One thread on purpose: client, proxy and origin share the processors of the machine, and a client that takes them all
//! measures itself. Prints one line of JSON; what goes wrong is counted in it and its first reason named.

mod bulk;
mod figures;
mod fresh;
mod kept;
mod leaves;
mod options;
mod route;
mod sink;
mod window;

use clap::Parser;

use crate::options::{Options, Work};

fn main() -> anyhow::Result<()> {
    let work = Options::parse().work;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let line = runtime.block_on(async {
        match work {
            Work::Kept(load) => serde_json::to_string(&kept::run(load).await?),
            Work::New(load) => serde_json::to_string(&fresh::run(load).await?),
            Work::Down(load) => serde_json::to_string(&bulk::run(load, bulk::Way::Down).await?),
            Work::Up(load) => serde_json::to_string(&bulk::run(load, bulk::Way::Up).await?),
            Work::Leaves(leaves) => serde_json::to_string(&leaves::run(leaves).await?),
            Work::Sink(sink) => match sink::run(sink).await? {},
        }
        .map_err(anyhow::Error::from)
    })?;
    println!("{line}");
    Ok(())
}
