//! Where the engine is: as the `docker` program itself finds it, then where rootless Docker and Podman have theirs.

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::settings::Settings;

/// Where the system's Docker listens.
const SYSTEM: &str = "/var/run/docker.sock";
/// Where the system's Podman listens.
const SYSTEM_PODMAN: &str = "/run/podman/podman.sock";

/// An engine's address, and what named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its Unix socket. An engine on another machine could not reach the session's, so no other kind is taken.
    pub socket: PathBuf,
    /// What said so.
    pub by: By,
}

/// What named an engine's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// `DOCKER_HOST`
    Variable,
    /// A context of the `docker` program, of this name.
    Context(String),
    /// Nothing: an engine has its socket there by custom.
    Found,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable => f.write_str("DOCKER_HOST"),
            Self::Context(name) => write!(f, "context {name}"),
            Self::Found => f.write_str("where engines listen"),
        }
    }
}

/// Why there is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// It is on another machine, or might be.
    #[error("{by} names {address}, and bottles need an engine on this machine, behind a Unix socket")]
    Elsewhere {
        /// What named it.
        by: By,
        /// The address.
        address: String,
    },
    /// A context that cannot be read.
    #[error("the docker context {name} cannot be used: {reason}")]
    Context {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// Nothing listens anywhere.
    #[error("no engine is found: nothing listens on {0}")]
    Nowhere(String),
}

/// Finds the engine.
pub fn find(settings: &Settings) -> Result<Place, PlaceError> {
    if let Some(host) = settings.host.as_ref().filter(|host| !host.is_empty()) {
        return named(host.as_bytes(), By::Variable);
    }
    if let Some(name) = context(settings)? {
        let address = address_of(settings, &name)?;
        return named(address.as_bytes(), By::Context(name));
    }
    let mut known = vec![PathBuf::from(SYSTEM)];
    if let Some(run) = &settings.run {
        known.extend([run.join("docker.sock"), run.join("podman/podman.sock")]);
    }
    known.push(PathBuf::from(SYSTEM_PODMAN));
    let found = known.iter().find(|path| path.exists());
    let shown = || known.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let socket = found.ok_or_else(|| PlaceError::Nowhere(shown()))?;
    Ok(Place { by: By::Found, socket: socket.clone() })
}

fn named(address: &[u8], by: By) -> Result<Place, PlaceError> {
    let path = address.strip_prefix(b"unix://").map(|path| Path::new(std::ffi::OsStr::from_bytes(path)));
    match path.filter(|path| path.is_absolute()) {
        Some(path) => Ok(Place { socket: path.to_owned(), by }),
        None => Err(PlaceError::Elsewhere { by, address: String::from_utf8_lossy(address).into_owned() }),
    }
}

/// `~/.docker/config.json`, as far as it matters here.
#[derive(Deserialize)]
struct Config {
    #[serde(rename = "currentContext")]
    current_context: Option<String>,
}

/// The context in force; `None` for the default one.
fn context(settings: &Settings) -> Result<Option<String>, PlaceError> {
    let chosen = match &settings.context {
        Some(name) => Some(name.to_string_lossy().into_owned()),
        None => match settings.config.as_ref().map(|folder| std::fs::read(folder.join("config.json"))) {
            Some(Ok(text)) => {
                let config: Config = serde_json::from_slice(&text).map_err(|error| PlaceError::Context {
                    name: "named in docker's config.json".to_owned(),
                    reason: error.to_string(),
                })?;
                config.current_context
            }
            Some(Err(_)) | None => None,
        },
    };
    Ok(chosen.filter(|name| !name.is_empty() && name != "default"))
}

/// `contexts/meta/<digest of the name>/meta.json`; the names stand inside, so the digest need not be computed.
#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Endpoints")]
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Option<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "Host")]
    host: Option<String>,
}

fn address_of(settings: &Settings, name: &str) -> Result<String, PlaceError> {
    let fail = |reason: String| PlaceError::Context { name: name.to_owned(), reason };
    let folder = settings.config.as_ref().ok_or_else(|| fail("there is no home folder".to_owned()))?.join("contexts/meta");
    let contexts = std::fs::read_dir(&folder).map_err(|error| fail(format!("reading {}: {error}", folder.display())))?;
    for entry in contexts.flatten() {
        let Ok(text) = std::fs::read(entry.path().join("meta.json")) else { continue };
        let Ok(meta) = serde_json::from_slice::<Meta>(&text) else { continue };
        if meta.name == name {
            let host = meta.endpoints.docker.and_then(|endpoint| endpoint.host);
            return host.ok_or_else(|| fail("it names no engine".to_owned()));
        }
    }
    Err(fail(format!("there is none of that name in {}", folder.display())))
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
