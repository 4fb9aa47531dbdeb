//! The connection to the engine, and what it says of itself.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bollard::errors::Error;
use bollard::models::SystemInfo;
use bollard::{API_DEFAULT_VERSION, Docker};
use bottle::Unavailable;

use crate::backend::NAME;
use crate::background::Background;
use crate::place::{self, Place, PlaceError};
use crate::settings::Settings;

/// Seconds until an engine that does not answer is given up.
const PATIENCE: u64 = 120;

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
        let socket = place.socket.to_string_lossy();
        let api = Docker::connect_with_socket(&socket, PATIENCE, API_DEFAULT_VERSION).map_err(|error| silent(&place, &error))?;
        let api = api.negotiate_version().await.map_err(|error| silent(&place, &error))?;
        let info = api.info().await.map_err(|error| silent(&place, &error))?;
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

/// An engine that does not answer as it should.
fn silent(place: &Place, error: &Error) -> Unavailable {
    let missing = format!("the engine at {} ({}): {}", place.socket.display(), place.by, text(error));
    match socket_error(&place.socket) {
        Some(std::io::ErrorKind::PermissionDenied) => unavailable(
            missing,
            &[
                "sudo usermod -aG docker \"$USER\"   # and log in again; members of that group have root's power on this machine",
                "or use rootless Docker, whose socket is your own: dockerd-rootless-setuptool.sh install",
            ],
        ),
        Some(std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::NotFound) => {
            unavailable(missing, &["sudo systemctl start docker"])
        }
        Some(_) | None => unavailable(missing, &[]),
    }
}

/// What connecting says, which the API's own errors hide.
fn socket_error(socket: &Path) -> Option<std::io::ErrorKind> {
    std::os::unix::net::UnixStream::connect(socket).err().map(|error| error.kind())
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
