use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Parser;
use policy::HostPattern;

/// Serves the egress of a bottle on a port
#[derive(Debug, Parser)]
pub struct Options {
    /// The explicit proxy
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// Where to write the authority's certificate, PEM
    #[arg(long, value_name = "FILE")]
    pub authority: PathBuf,
    /// Whose certificates are believed, PEM
    #[arg(long, value_name = "FILE")]
    pub roots: PathBuf,
    /// Where to record what passes
    #[arg(long, value_name = "FOLDER")]
    pub state: PathBuf,
    /// What may be reached, and where it is
    #[arg(long = "route", value_name = "HOST=ADDRESS:PORT", value_parser = dialled)]
    pub routes: Vec<Dialled>,
}

#[derive(Debug, Clone)]
pub struct Dialled {
    pub host: HostPattern,
    pub address: SocketAddr,
}

fn dialled(text: &str) -> anyhow::Result<Dialled> {
    let (host, address) = text.split_once('=').context("no `=`")?;
    Ok(Dialled { host: HostPattern::parse(host).map_err(|error| anyhow!("{error}"))?, address: address.parse()? })
}
