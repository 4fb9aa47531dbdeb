use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bottle::GuestPath;

use crate::credentials::{self, CredentialError, Private};
use crate::find::is_system;
use crate::{GuestLink, Shown, Visible};

/// Why a path of `tools:` cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It does not begin with `/` or `~/`.
    #[error("tools: {} must begin with / or ~/", Shown::text(.0))]
    NotAbsolute(String),
    /// There is nothing of that name.
    #[error("tools: {} does not exist", Shown::text(.0))]
    Missing(String),
    /// It is no file or folder.
    #[error("tools: {} is neither a file nor a folder", Shown::text(.0))]
    Special(String),
    /// It would show a credential, or cannot be looked at.
    #[error("tools: {0}")]
    Credential(#[from] CredentialError),
}

/// Resolves the `tools:` of a bottle, in order; `~` is [`Private::home`].
///
/// A folder's `bin`, or the folder itself when it directly holds a program, goes on `PATH`; a file gets a link there.
///
/// # Errors
/// Everything that cannot be shown.
pub fn resolve_tools(tools: &[String], private: Private<'_>) -> Result<Visible, Vec<ToolError>> {
    let mut visible = Visible::default();
    let mut errors = Vec::new();
    for tool in tools {
        match resolve(tool, private) {
            Ok(one) => visible.merge(one),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(visible) } else { Err(errors) }
}

fn resolve(tool: &str, private: Private<'_>) -> Result<Visible, ToolError> {
    let path = expand(tool, private.home)?;
    let Ok(metadata) = fs::metadata(&path) else { return Err(ToolError::Missing(tool.to_owned())) };
    let mut visible = Visible::default();
    let real = fs::canonicalize(&path).map_err(|_| ToolError::Missing(tool.to_owned()))?;
    let shown = if is_system(&real) { None } else { Some(credentials::check_tool(&real, private)?) };
    if metadata.is_dir() {
        visible.path_entries.extend(program_folder(&real));
    } else if metadata.is_file() {
        let name = path.file_name().unwrap_or_default();
        visible.links.extend(link(name, &real));
    } else {
        return Err(ToolError::Special(tool.to_owned()));
    }
    if let Some(place) = shown {
        visible.show(place);
    }
    Ok(visible)
}

fn expand(tool: &str, home: &Path) -> Result<PathBuf, ToolError> {
    let path = match tool.strip_prefix('~') {
        Some("") => home.to_owned(),
        Some(rest) => match rest.strip_prefix('/') {
            Some(below) => home.join(below.trim_start_matches('/')),
            None => return Err(ToolError::NotAbsolute(tool.to_owned())),
        },
        None => PathBuf::from(tool),
    };
    if path.is_absolute() { Ok(path) } else { Err(ToolError::NotAbsolute(tool.to_owned())) }
}

/// A link in [`Visible::BIN`].
pub(crate) fn link(name: &OsStr, target: &Path) -> Option<GuestLink> {
    let at = GuestPath::parse(Visible::BIN).and_then(|bin| bin.join(name)).ok()?;
    Some(GuestLink { at, target: target.to_owned() })
}

fn program_folder(folder: &Path) -> Option<PathBuf> {
    let bin = folder.join("bin");
    if bin.is_dir() {
        return Some(bin);
    }
    let mut entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    entries.any(|entry| is_program(&entry.path())).then(|| folder.to_owned())
}

/// Whether it is a file that somebody may run.
pub(crate) fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests;
