//! What is never shown to a bottle: places that hold credentials, and the check that keeps them out.
//!
//! The check knows places and names, not contents: it finds the usual ones, and it errs on the side of refusing. It is
//! one of two gates; the other is that nothing of the home is visible unless it was asked for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Shown;

/// Folders and files below the home that hold credentials, sessions, keys or histories.
const IN_HOME: &[&str] = &[
    // keys and logins of the shell's tools
    ".ssh",
    ".gnupg",
    ".netrc",
    ".authinfo",
    ".authinfo.gpg",
    ".git-credentials",
    ".config/git/credentials",
    ".config/gh",
    ".config/hub",
    ".config/glab-cli",
    ".config/tea",
    ".subversion/auth",
    ".Xauthority",
    ".ICEauthority",
    ".pki",
    ".bash_history",
    ".zsh_history",
    ".local/share/fish/fish_history",
    ".python_history",
    ".node_repl_history",
    ".psql_history",
    ".mysql_history",
    // clouds, clusters, engines
    ".aws",
    ".azure",
    ".config/gcloud",
    ".boto",
    ".s3cfg",
    ".oci",
    ".config/doctl",
    ".config/hcloud",
    ".config/rclone",
    ".config/heroku",
    ".fly",
    ".kube",
    ".docker",
    ".config/containers",
    ".config/helm",
    ".terraform.d",
    ".terraformrc",
    ".vault-token",
    ".ansible",
    ".config/sops",
    ".config/age",
    // package registries
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".pypirc",
    ".config/pip",
    ".config/pypoetry/auth.toml",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".gem/credentials",
    ".m2/settings.xml",
    ".m2/settings-security.xml",
    ".gradle/gradle.properties",
    ".composer/auth.json",
    ".config/composer/auth.json",
    ".nuget/NuGet",
    ".hex",
    // databases
    ".pgpass",
    ".my.cnf",
    ".mylogin.cnf",
    // agents and models
    ".claude",
    ".claude.json",
    ".config/claude",
    ".config/Claude",
    ".codex",
    ".gemini",
    ".config/github-copilot",
    ".local/share/opencode",
    ".cache/huggingface/token",
    ".huggingface",
    ".kaggle",
    ".config/openai",
    ".bot-bottle",
    // password stores and keyrings
    ".password-store",
    ".local/share/keyrings",
    ".local/share/kwalletd",
    ".kde/share/apps/kwallet",
    ".op",
    ".config/op",
    ".config/1Password",
    ".config/Bitwarden",
    ".config/Bitwarden CLI",
    ".config/keepassxc",
    ".lastpass",
    // browsers and mail
    ".mozilla",
    ".config/mozilla",
    ".thunderbird",
    ".config/google-chrome",
    ".config/google-chrome-beta",
    ".config/chromium",
    ".config/BraveSoftware",
    ".config/microsoft-edge",
    ".config/vivaldi",
    ".config/opera",
    ".config/Slack",
    ".config/discord",
    ".config/Code",
    "snap",
    ".var/app",
];

/// Programs that stand inside a place of [`IN_HOME`] and hold no credential themselves.
const PROGRAMS_INSIDE: &[&str] = &[".claude/local/node_modules", ".codex/packages"];

/// System places that no bottle sees by a tool, with all that is below them.
const SYSTEM: &[&str] = &["/etc", "/run", "/var/run", "/proc", "/sys", "/dev", "/boot", "/var/lib/docker", "/var/lib/containerd"];

/// Folders of homes: refused themselves, and every home in them.
const HOMES: &[&str] = &["/home", "/Users", "/var/home"];

/// Names that make a folder unfit when they stand directly in it.
const NAMES: &[&str] = &[
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    ".env",
    ".credentials.json",
    ".vault-token",
    ".pgpass",
    ".ssh",
    ".gnupg",
    ".aws",
];

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
    /// It is, or lies in, a place of the system that no bottle sees.
    #[error("{} is part of {}, which no bottle sees", Shown::path(.path), Shown::path(.place))]
    System {
        /// The canonical path.
        path: PathBuf,
        /// The system's place.
        place: PathBuf,
    },
    /// It is, or lies in, a place that holds credentials.
    #[error("{} is part of {}, which holds credentials; no bottle sees those", Shown::path(.path), Shown::path(.credential))]
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
}

fn home_or_above(path: &Path, home: &Path) -> String {
    if path == home { "a home folder".to_owned() } else { format!("above the home folder {}", Shown::path(home)) }
}

/// Checks a file or folder that is to be shown as a tool: the places, and the names directly in it. Returns its canonical
/// path.
///
/// # Errors
/// When it cannot be looked at, or is, contains or lies in something that holds credentials; the error names that.
pub fn check_tool(path: &Path, home: &Path) -> Result<PathBuf, CredentialError> {
    let path = check_place(path, home)?;
    for place in HOMES {
        // Another person's home, whole; what lies deeper in it is the file system's to guard.
        if path.parent() == Some(Path::new(place)) {
            return Err(CredentialError::Home { home: path.clone(), path });
        }
    }
    if is_credential_name(&path) {
        return Err(CredentialError::Inside { credential: path.clone(), path });
    }
    if path.is_dir() {
        let unreadable = |source| CredentialError::Unreadable { path: path.clone(), source };
        for entry in fs::read_dir(&path).map_err(unreadable)? {
            let credential = entry.map_err(unreadable)?.path();
            if is_credential_name(&credential) {
                return Err(CredentialError::Contains { path, credential });
            }
        }
    }
    Ok(path)
}

/// Checks a folder by its place alone; its own `.env` and keys are its owner's to copy (a workspace). Returns its canonical
/// path.
///
/// # Errors
/// As [`check_tool`].
pub fn check_place(path: &Path, home: &Path) -> Result<PathBuf, CredentialError> {
    let canonical =
        |path: &Path| fs::canonicalize(path).map_err(|source| CredentialError::Unreadable { path: path.to_owned(), source });
    let path = canonical(path)?;
    let home = fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
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
    if PROGRAMS_INSIDE.iter().any(|inside| path.starts_with(home.join(inside))) {
        return Ok(path);
    }
    for credential in IN_HOME.iter().map(|place| home.join(place)) {
        // A credential may itself be a link to where it is kept.
        let kept = fs::canonicalize(&credential).ok();
        let places = || std::iter::once(&credential).chain(kept.as_ref());
        if places().any(|place| path.starts_with(place)) {
            return Err(CredentialError::Inside { path, credential });
        }
        if places().any(|place| place.starts_with(&path) && place.symlink_metadata().is_ok()) {
            return Err(CredentialError::Contains { path, credential });
        }
    }
    Ok(path)
}

fn is_credential_name(path: &Path) -> bool {
    let Some(name) = path.file_name().map(|name| name.to_string_lossy()) else { return false };
    let private_key = name.ends_with(".pem") || (name.starts_with("id_") && !name.ends_with(".pub"));
    private_key || NAMES.contains(&&*name)
}

#[cfg(test)]
mod tests;
