//! The connection to the engine, and what it says of itself.

use std::error::Error as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::SystemInfo;
use bollard::{API_DEFAULT_VERSION, Docker};
use bottle::Unavailable;
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::backend::NAME;
use crate::background::Background;
use crate::place::{self, Place, PlaceError};
use crate::settings::Settings;
use crate::unreached::Unreached;

/// Seconds until an engine that does not answer is given up, once it has said what it is.
const PATIENCE: u64 = 120;
/// The same for its first word. Where systemd holds the socket it takes the connection before the engine has begun to start.
const FIRST_PATIENCE: Duration = Duration::from_secs(10);
/// The same for what it says of itself: it looks at everything it has for that.
const INFO_PATIENCE: Duration = Duration::from_secs(30);

/// An engine that answers.
pub struct Engine {
    /// Its API.
    pub api: Docker,
    /// Where it listens.
    pub socket: PathBuf,
    /// What it says of itself.
    pub info: SystemInfo,
    /// Where bottles' streams are copied.
    pub background: Arc<Background>,
}

impl Engine {
    /// Connects, agrees on a version, and asks the engine about itself.
    ///
    /// # Errors
    /// What is missing, and what to do.
    pub async fn connect(settings: &Settings) -> Result<Self, Unavailable> {
        let place = place::find(settings).map_err(|error| nowhere(&error))?;
        let api = reach(&place).await.map_err(|why| why.told(&place))?;
        let info = timeout(INFO_PATIENCE, describe(api)).await.unwrap_or(Err(Unreached::Silent(INFO_PATIENCE)));
        let (api, info) = info.map_err(|why| why.told(&place))?;
        let background = Background::start().map_err(|error| unavailable(format!("starting a thread: {error}"), &[]))?;
        Ok(Self { api, socket: place.socket, info, background })
    }
}

fn unavailable(missing: String, hints: &[&str]) -> Unavailable {
    Unavailable { backend: NAME, missing, hints: hints.iter().map(|hint| (*hint).to_owned()).collect() }
}

fn nowhere(error: &PlaceError) -> Unavailable {
    match error {
        PlaceError::Elsewhere { .. } => {
            unavailable(error.to_string(), &["run bot-bottle on the machine where the engine is, or unset DOCKER_HOST"])
        }
        PlaceError::Context { .. } => unavailable(error.to_string(), &["docker context ls", "docker context use default"]),
        PlaceError::Nowhere(_) => unavailable(
            error.to_string(),
            &["install an engine (`sudo apt install docker.io`, or `podman` and `systemctl --user start podman.socket`)"],
        ),
    }
}

/// Connects, and waits for a first word: whatever takes a connection and says nothing is no engine.
async fn reach(place: &Place) -> Result<Docker, Unreached> {
    let first = async {
        // By hand first: the API's own errors hide why it could not connect.
        drop(UnixStream::connect(&place.socket).await.map_err(Unreached::Socket)?);
        let socket = place.socket.to_string_lossy();
        let api = Docker::connect_with_socket(&socket, PATIENCE, API_DEFAULT_VERSION).map_err(Unreached::Answer)?;
        api.ping().await.map_err(Unreached::Answer)?;
        Ok(api)
    };
    timeout(FIRST_PATIENCE, first).await.unwrap_or(Err(Unreached::Silent(FIRST_PATIENCE)))
}

/// Agrees on a version, and asks the engine about itself.
async fn describe(api: Docker) -> Result<(Docker, SystemInfo), Unreached> {
    let api = api.negotiate_version().await.map_err(Unreached::Answer)?;
    let info = api.info().await.map_err(Unreached::Answer)?;
    Ok((api, info))
}

/// An error of the API in full: what the engine said, or the innermost reason why it could not say anything.
pub fn text(error: &Error) -> String {
    if let Error::DockerResponseServerError { message, .. } = error {
        return message.trim().to_owned();
    }
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(reason) = inner {
        // What lies around it tells of the library's layers.
        if let (Error::HyperLegacyError { .. }, Some(reason)) = (error, reason.downcast_ref::<std::io::Error>()) {
            return format!("the engine does not answer: {reason}");
        }
        let said = reason.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        inner = reason.source();
    }
    text
}

/// Whether the engine says that there is no such thing (any more).
pub fn is_missing(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

/// Whether the engine is doing it already.
pub fn is_under_way(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 409, .. })
}
