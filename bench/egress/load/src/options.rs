use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Makes requests, directly or through a proxy, and says how fast they were answered.
#[derive(Debug, Parser)]
pub struct Options {
    #[command(subcommand)]
    pub work: Work,
}

#[derive(Debug, Subcommand)]
pub enum Work {
    /// Requests over connections that are kept
    Kept(Load),
    /// One request over each new connection, without resuming TLS sessions
    New(Load),
    /// Large answers
    Down(Load),
    /// Large requests
    Up(Load),
    /// What the first handshake with a host costs beyond the second
    Leaves(Leaves),
    /// An origin that swallows and gives bodies of any size: PUT anything, GET /BYTES
    Sink(Sink),
}

/// How the host is reached.
#[derive(Debug, Clone, Args)]
pub struct Path {
    /// Where to connect to: the origin, a reverse proxy, or a proxy
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub connect: SocketAddr,
    /// Ask for a tunnel by CONNECT first
    #[arg(long)]
    pub proxy: bool,
    /// The certificates that are trusted, PEM
    #[arg(long, value_name = "FILE")]
    pub ca: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub struct Load {
    #[command(flatten)]
    pub path: Path,
    /// The host that is meant
    #[arg(long, value_name = "HOST")]
    pub host: String,
    /// Its port
    #[arg(long, default_value_t = 443)]
    pub port: u16,
    /// What is asked for
    #[arg(long, default_value = "/1k")]
    pub ask: String,
    /// Connections at once
    #[arg(short, default_value_t = 1)]
    pub connections: usize,
    /// How long to measure; a transfer that has begun is finished
    #[arg(long, default_value_t = 1.0)]
    pub seconds: f64,
    /// How long to load before that
    #[arg(long, default_value_t = 0.2)]
    pub warm: f64,
    /// Bytes of one body
    #[arg(long, default_value_t = 1024)]
    pub bytes: u64,
}

impl Load {
    /// What the `Host` header says (RFC 9110 §7.2): the port where it is not the usual one.
    pub fn authority(&self) -> String {
        if self.port == 443 { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }
}

#[derive(Debug, Clone, Args)]
pub struct Leaves {
    #[command(flatten)]
    pub path: Path,
    /// The port of the hosts
    #[arg(long, default_value_t = 443)]
    pub port: u16,
    /// Hosts that the proxy has never seen
    pub hosts: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub struct Sink {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// Its certificate, PEM
    #[arg(long, value_name = "FILE")]
    pub certificate: PathBuf,
    /// Its key, PEM
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
}
