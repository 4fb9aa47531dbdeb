use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use agents::{PlaceholderPlace, Provider, Shown, Visible};
use secret::Secret;

use crate::ca;

/// `PATH` after our own entries, when the bottle's manifest sets none.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The variables of every program that a person or an agent runs in a bottle; each name once.
///
/// Precedence, last wins: those that name the bottle's certificates ([`crate::TRUST_VARIABLES`]), the provider's own variables,
/// then the bottle's `env`. `PATH` is put together: the links that
/// provisioning makes, the folders of visible tools, then the bottle's own `PATH` or the usual one; it is left to the
/// backend when there is neither a tool's folder nor an own `PATH`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    variables: Vec<(OsString, Secret)>,
}

/// Why a variable cannot be set. Never says a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// A name that no shell could use.
    #[error("bad variable name {:?} in env: use letters, digits and '_', and do not begin with a digit", Shown(.0).to_string())]
    Name(OsString),
    /// A NUL byte in a value.
    #[error("the value of variable {} in env holds a NUL byte, which no program can be given", Shown(.0))]
    Value(OsString),
}

impl Environment {
    /// Merges and checks. `bottle` is the resolved `env` of the manifest.
    ///
    /// # Errors
    /// Every name and value that cannot be set.
    pub fn build(provider: &Provider, visible: &Visible, bottle: &[(OsString, Secret)]) -> Result<Self, Vec<EnvironmentError>> {
        Self::check(bottle)?;
        let mut environment = Self::default();
        for (name, place) in ca::VARIABLES {
            environment.set(OsStr::new(name), Secret::from(place));
        }
        let runtime = provider.runtime();
        for (name, value) in runtime.env {
            environment.set(OsStr::new(name), Secret::from(*value));
        }
        for placeholder in provider.placeholders() {
            if let PlaceholderPlace::Variable { name, unless } = placeholder.place
                && !bottle.iter().any(|(set, _)| unless.iter().any(|other| set == other))
            {
                environment.set(OsStr::new(name), Secret::from(placeholder.value.as_str()));
            }
        }
        for (name, value) in bottle {
            environment.set(name, value.clone());
        }
        let own = environment.variables.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
        if own.is_some() || !visible.path_entries.is_empty() {
            let own = own.unwrap_or_else(|| Secret::from(DEFAULT_PATH));
            environment.set(OsStr::new("PATH"), Secret::new(path(visible, own.reveal())));
        }
        Ok(environment)
    }

    /// Checks the resolved `env` of a manifest alone.
    ///
    /// # Errors
    /// Every name and value that cannot be set.
    pub fn check(bottle: &[(OsString, Secret)]) -> Result<(), Vec<EnvironmentError>> {
        let errors: Vec<_> = bottle.iter().filter_map(|(name, value)| check(name, value)).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The variables, to hand to [`bottle::Exec`].
    pub fn variables(&self) -> &[(OsString, Secret)] {
        &self.variables
    }

    /// Their names, in order, for the preflight.
    pub fn names(&self) -> impl Iterator<Item = &OsStr> {
        self.variables.iter().map(|(name, _)| name.as_os_str())
    }

    fn set(&mut self, name: &OsStr, value: Secret) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value));
    }
}

fn check(name: &OsStr, value: &Secret) -> Option<EnvironmentError> {
    let bytes = name.as_bytes();
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    if bytes.is_empty() || !bytes.iter().all(legal) || bytes.first().is_some_and(u8::is_ascii_digit) {
        return Some(EnvironmentError::Name(name.to_owned()));
    }
    value.reveal().contains(&0).then(|| EnvironmentError::Value(name.to_owned()))
}

fn path(visible: &Visible, own: &[u8]) -> Vec<u8> {
    let folders = std::iter::once(Path::new(Visible::BIN)).chain(visible.path_entries.iter().map(PathBuf::as_path));
    // A ':' in a folder's name would end it; such a folder cannot stand on a PATH at all.
    let folders = folders.map(|folder| folder.as_os_str().as_bytes()).filter(|folder| !folder.contains(&b':'));
    let entries: Vec<&[u8]> = folders.chain(std::iter::once(own)).collect();
    entries.join(&b':')
}

#[cfg(test)]
mod tests;
