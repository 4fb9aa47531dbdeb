use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::FindError;
use super::places::{SHIM_FOLDERS, ShimFolder};
use crate::tools::is_program;

/// The program behind a version manager's stand-in; `None` when `found` is none.
///
/// The manager itself stays outside: in the bottle its choice would depend on files of the home. With several versions,
/// the one beside `near` (the script that needs it) is meant, else the one that the manager's own files name.
pub(super) fn behind(name: &OsStr, found: &Path, near: Option<&Path>, home: &Path) -> Result<Option<PathBuf>, FindError> {
    let Some(manager) = SHIM_FOLDERS.iter().find(|manager| found.parent() == Some(&home.join(manager.folder))) else {
        return Ok(None);
    };
    if let Some(beside) =
        near.and_then(Path::parent).map(|folder| folder.join(name)).filter(|path| is_program(path) && path != found)
    {
        return Ok(Some(beside));
    }
    let mut candidates = Vec::new();
    for pattern in manager.programs {
        // Aliases such as `20` and `latest` are links to one version.
        let programs = expand(home, pattern, name).into_iter().filter(|path| is_program(path));
        candidates.extend(programs.filter_map(|path| alias_free(&path)));
    }
    candidates.sort();
    candidates.dedup();
    match candidates.as_slice() {
        [] if manager.mixed => Ok(None),
        [] => Err(FindError::EmptyShim { program: name.to_owned(), shim: found.to_owned() }),
        [one] => Ok(Some(one.clone())),
        [_, _, ..] => chosen(manager, home, &candidates).map(Some).ok_or_else(|| FindError::Ambiguous {
            program: name.to_owned(),
            pins: manager.pins.iter().map(|pin| home.join(pin)).collect(),
            candidates: candidates.clone(),
        }),
    }
}

/// The same program with the folder's own links resolved, but not the last part: `bin/x` may be a link into a package.
fn alias_free(program: &Path) -> Option<PathBuf> {
    Some(fs::canonicalize(program.parent()?).ok()?.join(program.file_name()?))
}

/// Paths below `base` that match `pattern`, in no order.
fn expand(base: &Path, pattern: &str, name: &OsStr) -> Vec<PathBuf> {
    let mut paths = vec![base.to_owned()];
    for part in pattern.split('/') {
        paths = match part {
            "NAME" => paths.into_iter().map(|path| path.join(name)).collect(),
            "*" => paths.iter().flat_map(|path| entries(path)).collect(),
            "PKG" => paths.iter().flat_map(|path| entries(path)).flat_map(packages).collect(),
            exact => paths.into_iter().map(|path| path.join(exact)).collect(),
        };
    }
    paths
}

fn packages(entry: PathBuf) -> Vec<PathBuf> {
    let scope = entry.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"@"));
    if scope { entries(&entry) } else { vec![entry] }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path()).collect()
}

/// The one candidate whose version a pin file names, in full (`20.1.0`) or else by its beginning (`20`). Pin files have
/// several forms (words, TOML, JSON); in all of them a version is a word of its own.
fn chosen(manager: &ShimFolder, home: &Path, candidates: &[PathBuf]) -> Option<PathBuf> {
    manager.pins.iter().find_map(|pin| {
        let text = fs::read_to_string(home.join(pin)).ok()?;
        let words: Vec<&str> =
            text.split(|c: char| !c.is_ascii_alphanumeric() && !".-_".contains(c)).filter(|word| !word.is_empty()).collect();
        let whole = |version: &str| words.contains(&version);
        let beginning =
            |version: &str| words.iter().any(|word| version.strip_prefix(word).is_some_and(|rest| rest.starts_with('.')));
        only(candidates, whole).or_else(|| only(candidates, beginning))
    })
}

fn only(candidates: &[PathBuf], matches: impl Fn(&str) -> bool) -> Option<PathBuf> {
    // What all have in common (`node`, `bin`) tells nothing, and such words stand in pin files too.
    let shared = |part: &OsStr| candidates.iter().all(|candidate| candidate.iter().any(|other| other == part));
    let is_meant = |candidate: &&PathBuf| candidate.iter().filter(|part| !shared(part)).filter_map(OsStr::to_str).any(&matches);
    let mut meant = candidates.iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(one), None) => Some(one.clone()),
        (Some(_) | None, _) => None,
    }
}
