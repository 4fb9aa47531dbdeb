use std::io;
use std::path::{Path, PathBuf};

use shown::Shown;

use super::inside;

/// Why a host path is not shown to a bottle, or not copied into one.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// It cannot be looked at.
    #[error("cannot look at {}: {source}", Shown::path(.path))]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It is a home folder, or a folder that holds one.
    #[error("{} is {}: a bottle would see every credential in it; name a folder further down", Shown::path(.path), home_or_above(.path, .home))]
    Home {
        /// The canonical path.
        path: PathBuf,
        /// The home in question.
        home: PathBuf,
    },
    /// It is, holds or lies in bot-bottle's own folder.
    #[error("{} is, holds or lies in bot-bottle's own folder, {}, which no bottle sees", Shown::path(.path), Shown::path(.state))]
    State {
        /// The canonical path.
        path: PathBuf,
        /// `BOT_BOTTLE_HOME`.
        state: PathBuf,
    },
    /// It is, or lies in, a place of the system that no bottle sees.
    #[error("{}", unseen(.path, .place))]
    System {
        /// The canonical path.
        path: PathBuf,
        /// The system's place.
        place: PathBuf,
    },
    /// It is, or lies in, a place that holds credentials.
    #[error("{} holds credentials; no bottle sees those", part(.path, .credential))]
    Inside {
        /// The canonical path.
        path: PathBuf,
        /// The credential's place.
        credential: PathBuf,
    },
    /// It contains credentials.
    #[error("{} contains {}, which holds credentials; name a folder without them", Shown::path(.path), Shown::path(.credential))]
    Contains {
        /// The canonical path.
        path: PathBuf,
        /// The credential.
        credential: PathBuf,
    },
    /// Nobody can tell in good time whether it contains credentials.
    #[error("{} holds more than {} files and folders, too many to look for credentials among them; name a folder further down", Shown::path(.path), inside::MOST_ENTRIES)]
    TooMany {
        /// The canonical path.
        path: PathBuf,
    },
}

fn unseen(path: &Path, place: &Path) -> String {
    let (shown, place_shown) = (Shown::path(path), Shown::path(place));
    match path == place {
        true => format!("no bottle sees the host's {shown}"),
        false if place.starts_with(path) => format!("{shown} contains {place_shown}, which no bottle sees"),
        false => format!("{shown} is part of {place_shown}, which no bottle sees"),
    }
}

fn part(path: &Path, credential: &Path) -> String {
    let shown = Shown::path(path);
    if path == credential { shown.to_string() } else { format!("{shown} is part of {}, which", Shown::path(credential)) }
}

fn home_or_above(path: &Path, home: &Path) -> String {
    if path == home { "a home folder".to_owned() } else { format!("above the home folder {}", Shown::path(home)) }
}
