use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use super::{AgentEntry, BottleEntry, Catalogue, Known, Note, OpenError, SharedFolder};
use crate::source::{Folder, FolderError};
use crate::{ManifestName, Origin, Places};

pub(super) fn scan(places: &Places) -> Result<Catalogue, OpenError> {
    let home = &places.home;
    match Folder::open(home, "", Origin::Home) {
        Ok(Some(_)) => {}
        Ok(None) => return Err(OpenError::NoHome { home: home.clone() }),
        Err(error) => return Err(unusable(home, error)),
    }
    // In the home folder itself, the "repository" is the person's own.
    let repository = places.repository.as_deref().filter(|repository| !same_folder(repository, home));
    let mut catalogue = Catalogue { home: home.clone(), agents: BTreeMap::new(), bottles: BTreeMap::new(), notes: Vec::new() };
    old_json(&mut catalogue.notes, home, repository);
    for (name, folder) in home_folder(&mut catalogue.notes, home, "bottles")? {
        let file = file_of(&folder, &name);
        catalogue.bottles.insert(name.clone(), Known { entry: BottleEntry { name, file }, folder });
    }
    for (name, folder) in home_folder(&mut catalogue.notes, home, "agents")? {
        catalogue.agents.insert(name.clone(), agent(name, folder));
    }
    if let Some(repository) = repository {
        scan_repository(&mut catalogue, repository);
    }
    Ok(catalogue)
}

fn scan_repository(catalogue: &mut Catalogue, repository: &Path) {
    // Looked at without following it: even its being there is all that matters.
    if repository.join("bottles").symlink_metadata().is_ok() {
        catalogue.notes.push(Note::RepositoryBottles { folder: repository.join("bottles") });
    }
    let listed = match Folder::open(repository, "agents", Origin::Repository) {
        Ok(Some(folder)) => list(&mut catalogue.notes, folder),
        Ok(None) => return,
        Err(error) => Err(error),
    };
    match listed {
        Ok(found) => {
            for (name, folder) in found {
                let known = agent(name.clone(), folder);
                match catalogue.agents.get(&name) {
                    Some(own) => {
                        catalogue.notes.push(Note::Shadowed { name, home: own.entry.file.clone(), repository: known.entry.file });
                    }
                    None => {
                        catalogue.agents.insert(name, known);
                    }
                }
            }
        }
        Err(error) => catalogue.notes.push(Note::UnusableFolder { folder: repository.join("agents"), why: error.to_string() }),
    }
}

fn home_folder(notes: &mut Vec<Note>, home: &Path, name: &str) -> Result<Vec<(ManifestName, SharedFolder)>, OpenError> {
    let cannot = |error| unusable(&home.join(name), error);
    match Folder::open(home, name, Origin::Home).map_err(cannot)? {
        Some(folder) => list(notes, folder).map_err(cannot),
        None => Ok(Vec::new()),
    }
}

fn unusable(folder: &Path, error: FolderError) -> OpenError {
    let folder = folder.to_owned();
    match error {
        FolderError::NotOurs(why) => OpenError::NotOurs { folder, why },
        FolderError::Io(why) => OpenError::Unusable { folder, why },
        other @ (FolderError::LeadsOut | FolderError::NotAFile(_)) => {
            OpenError::Unusable { folder, why: io::Error::other(other.to_string()) }
        }
    }
}

fn list(notes: &mut Vec<Note>, folder: Folder) -> Result<Vec<(ManifestName, SharedFolder)>, FolderError> {
    let (mut names, more) = folder.names()?;
    names.sort();
    if more {
        notes.push(Note::TooManyFiles { folder: folder.path.clone(), limit: Folder::MAX_ENTRIES });
    }
    let folder = Arc::new(folder);
    let mut found = Vec::new();
    for file in names {
        let path = Path::new(&file);
        if path.extension() != Some(OsStr::new("md")) {
            continue;
        }
        match path.file_stem().and_then(OsStr::to_str).map(ManifestName::parse) {
            Some(Ok(name)) => found.push((name, Arc::clone(&folder))),
            Some(Err(_)) | None => notes.push(Note::BadFileName { file: folder.path.join(&file) }),
        }
    }
    Ok(found)
}

fn agent(name: ManifestName, folder: SharedFolder) -> Known<AgentEntry> {
    let file = file_of(&folder, &name);
    Known { entry: AgentEntry { name, file, origin: folder.origin }, folder }
}

fn file_of(folder: &Folder, name: &ManifestName) -> std::path::PathBuf {
    folder.path.join(format!("{name}.md"))
}

/// The one JSON file that manifests once were, beside or in either folder.
fn old_json(notes: &mut Vec<Note>, home: &Path, repository: Option<&Path>) {
    for folder in [Some(home), repository].into_iter().flatten() {
        for place in [Some(folder), folder.parent()].into_iter().flatten() {
            let file = place.join("bot-bottle.json");
            if file.symlink_metadata().is_ok() {
                notes.push(Note::OldJson { file });
            }
        }
    }
}

fn same_folder(one: &Path, other: &Path) -> bool {
    match (one.metadata(), other.metadata()) {
        (Ok(one), Ok(other)) => one.dev() == other.dev() && one.ino() == other.ino(),
        (Err(_), _) | (_, Err(_)) => false,
    }
}
