//! What is never shown to a bottle: places that hold credentials, and the check that keeps them out.
//!
//! The check knows places and names, not contents. It is one of two gates; the other is that nothing of the home is visible
//! unless it was asked for. What it does and does not find:
//!
//! - Places: every home and what is above it, [`Private::state`], the usual places of credentials in the homes, where variables
//!   have moved the person's ([`Moved`]), places of the system. These hold for tools and for workspaces.
//! - Names: directly in a tool everything that looks like a key; down to six levels exact, well-known names alone (`.ssh`,
//!   `.env`, `id_ed25519`, `.codex/auth.json`). Deeper, and inside `node_modules`, `site-packages`, `dist-packages` and `gems`,
//!   nothing is looked at: an agent's own install has tens of thousands of files there, with keys made up for tests among
//!   them, and whoever could not start their agent would turn the check off. A key kept in such a folder is shown.
//! - Somebody's key in a file of another name is not found, nor what is put into a tool's folder after the plan was made.

mod error;
mod inside;
mod others;
mod places;
mod private;

use std::fs;
use std::path::{Path, PathBuf};

use bottle::HostPlace;
pub use error::CredentialError;
use places::{HOMES, IN_HOME, NAMES, PROGRAMS_INSIDE, SYSTEM};
pub use private::{Moved, Private};

/// Checks a file or folder that is to be shown as a tool: the places, and the names in it.
///
/// # Errors
/// When it cannot be looked at, or is, contains or lies in something that holds credentials; the error names that.
pub fn check_tool(path: &Path, private: Private<'_>) -> Result<HostPlace, CredentialError> {
    let place = check_place(path, private)?;
    refuse_contents(&place)?;
    Ok(place)
}

fn refuse_contents(place: &HostPlace) -> Result<(), CredentialError> {
    let path = place.path().to_owned();
    if looks_like_a_credential(&path) {
        return Err(CredentialError::Inside { credential: path.clone(), path });
    }
    let is_in_packages = path.iter().any(inside::holds_packages);
    if !is_in_packages && let Some(credential) = path.ancestors().find(|above| is_credential(above)) {
        return Err(CredentialError::Inside { credential: credential.to_owned(), path });
    }
    if place.is_folder() {
        if let Some(credential) = directly_in(&path)? {
            return Err(CredentialError::Contains { path, credential });
        }
        if !is_in_packages && let Some(credential) = inside::look(&path)?.credential {
            return Err(CredentialError::Contains { path, credential });
        }
    }
    Ok(())
}

/// Checks a folder by its place alone; its own `.env` and keys are its owner's to copy (a workspace).
///
/// # Errors
/// As [`check_tool`].
pub fn check_place(path: &Path, private: Private<'_>) -> Result<HostPlace, CredentialError> {
    let place = HostPlace::look(path).map_err(|source| CredentialError::Unreadable { path: path.to_owned(), source })?;
    refuse_place(place.path().to_owned(), private)?;
    Ok(place)
}

fn refuse_place(path: PathBuf, private: Private<'_>) -> Result<(), CredentialError> {
    let home = fs::canonicalize(private.home).unwrap_or_else(|_| private.home.to_owned());
    let other_homes = HOMES.iter().copied().chain(["/root", "/"]).map(Path::new);
    for home in std::iter::once(home.as_path()).chain(other_homes) {
        if home.starts_with(&path) {
            return Err(CredentialError::Home { path, home: home.to_owned() });
        }
    }
    for place in SYSTEM.iter().map(Path::new) {
        if path.starts_with(place) || place.starts_with(&path) {
            return Err(CredentialError::System { path, place: place.to_owned() });
        }
    }
    if with_its_end(private.state).any(|state| path.starts_with(&state) || state.starts_with(&path)) {
        return Err(CredentialError::State { path, state: private.state.to_owned() });
    }
    if private.is_program(&path, &home) {
        return Ok(());
    }
    refuse_credentials(&path, private.credentials(&home))?;
    // What root may read of other people's is not root's to hand over.
    let people = fs::read_to_string(others::TABLE).unwrap_or_default();
    refuse_others(&path, others::homes(&people, &path, &home))
}

fn refuse_credentials(path: &Path, places: Vec<PathBuf>) -> Result<(), CredentialError> {
    for credential in places {
        let ends: Vec<PathBuf> = with_its_end(&credential).collect();
        if ends.iter().any(|place| path.starts_with(place)) {
            return Err(CredentialError::Inside { path: path.to_owned(), credential });
        }
        if ends.iter().any(|place| place.starts_with(path) && place.symlink_metadata().is_ok()) {
            return Err(CredentialError::Contains { path: path.to_owned(), credential });
        }
    }
    Ok(())
}

fn refuse_others(path: &Path, homes: Vec<PathBuf>) -> Result<(), CredentialError> {
    for home in homes.iter().flat_map(|home| with_its_end(home)) {
        if home.starts_with(path) {
            return Err(CredentialError::Home { path: path.to_owned(), home });
        }
        if !path.starts_with(&home) {
            continue;
        }
        let is_program = PROGRAMS_INSIDE.iter().any(|inside| path.starts_with(home.join(inside)));
        if !is_program {
            refuse_credentials(path, IN_HOME.iter().map(|place| home.join(place)).collect())?;
        }
    }
    Ok(())
}

/// A place as it is named, and where it really is: it may be a link, or stand below one.
fn with_its_end(place: &Path) -> impl Iterator<Item = PathBuf> {
    std::iter::once(place.to_owned()).chain(fs::canonicalize(place).ok())
}

fn directly_in(folder: &Path) -> Result<Option<PathBuf>, CredentialError> {
    let unreadable = |source| CredentialError::Unreadable { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if looks_like_a_credential(&path) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn looks_like_a_credential(path: &Path) -> bool {
    let Some(name) = path.file_name().map(|name| name.to_string_lossy()) else { return false };
    let private_key = name.ends_with(".pem") || (name.starts_with("id_") && !name.ends_with(".pub"));
    private_key || NAMES.contains(&&*name)
}

fn is_credential(path: &Path) -> bool {
    path.file_name().is_some_and(|name| inside::is_credential(name, path.parent().and_then(Path::file_name)))
}

#[cfg(test)]
mod tests;
