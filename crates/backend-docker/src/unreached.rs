//! An engine that there is no talking to: why, and what to do, which depends on who named its socket.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use bollard::errors::Error;
use bottle::Unavailable;

use crate::backend::NAME;
use crate::engine::text;
use crate::place::{By, Place};

/// Why there is no talking to what is behind a socket.
#[derive(Debug)]
pub enum Unreached {
    /// Nobody can be connected to.
    Socket(io::Error),
    /// Somebody takes the connection and says nothing for this long.
    Silent(Duration),
    /// Somebody answers, but not as an engine does.
    Answer(Error),
}

impl Unreached {
    /// What is missing, and what to do.
    pub fn told(&self, place: &Place) -> Unavailable {
        let why = match self {
            Self::Socket(error) => format!("connecting to it: {error}"),
            Self::Silent(patience) => format!("nothing was heard from it for {} s", patience.as_secs()),
            Self::Answer(error) => text(error),
        };
        let missing = format!("the engine at {} ({}): {why}", place.socket.display(), place.by);
        let hints = match self {
            Self::Socket(error) if error.kind() == ErrorKind::PermissionDenied => GROUP.map(str::to_owned).to_vec(),
            Self::Socket(_) => mend(place, "start"),
            Self::Silent(_) | Self::Answer(_) => std::iter::once(ask(&place.socket)).chain(mend(place, "restart")).collect(),
        };
        Unavailable { backend: NAME, missing, hints }
    }
}

const GROUP: [&str; 2] = [
    "sudo usermod -aG docker \"$USER\"   # and log in again; members of that group have root's power on this machine",
    "or use rootless Docker, whose socket is your own: dockerd-rootless-setuptool.sh install",
];

/// How a person sees whether an engine is there.
fn ask(socket: &Path) -> String {
    let quoted = socket.to_string_lossy().replace('\'', r"'\''");
    format!("curl --max-time 5 --unix-socket '{quoted}' http://localhost/_ping   # an engine answers OK")
}

/// Has an engine listen there, or looks for one elsewhere.
fn mend(place: &Place, verb: &str) -> Vec<String> {
    let elsewhere: &[&str] = match place.by {
        By::Variable => &["unset DOCKER_HOST   # or set it to the socket of an engine that runs, as unix:///PATH"],
        By::Context(_) => &["docker context ls", "docker context use default"],
        By::Found => &[],
    };
    service(&place.socket)
        .map(|(systemctl, unit)| format!("{systemctl} {verb} {unit}"))
        .into_iter()
        .chain(elsewhere.iter().map(|hint| (*hint).to_owned()))
        .collect()
}

/// Who serves a socket that engines have by custom.
fn service(socket: &Path) -> Option<(&'static str, &'static str)> {
    const SYSTEM: &str = "sudo systemctl";
    const OWN: &str = "systemctl --user";
    match socket.to_str()? {
        "/var/run/docker.sock" | "/run/docker.sock" => Some((SYSTEM, "docker")),
        "/run/podman/podman.sock" => Some((SYSTEM, "podman.socket")),
        own if own.starts_with("/run/user/") && own.ends_with("/docker.sock") => Some((OWN, "docker")),
        own if own.starts_with("/run/user/") && own.ends_with("/podman/podman.sock") => Some((OWN, "podman.socket")),
        _ => None,
    }
}

#[cfg(test)]
#[path = "unreached_tests.rs"]
mod tests;
