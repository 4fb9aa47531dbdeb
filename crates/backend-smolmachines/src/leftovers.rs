//! What sessions that were killed have left behind.

use std::path::Path;

use bottle::{BottleName, CloseError, Leftover, Unavailable};
use helper::session::site;

use crate::backend::NAME;
use crate::machine::{BOTTLE, LOCK, Listed};
use crate::settings::Settings;
use crate::smolvm::{Smolvm, SmolvmError};
use crate::{arguments, close, images};

/// The name under which images of the cache are listed: they are no single bottle's.
const CACHE: &str = "images";

/// Machines, folders on the host, and images that are wanted no more.
pub async fn find(smolvm: &Smolvm, settings: &Settings) -> Result<Vec<Leftover>, Unavailable> {
    let failed = |missing: String| Unavailable { backend: NAME, missing, hints: Vec::new() };
    let machines = match dead(smolvm, settings).await {
        // Whoever took the program away has no machines that could be removed with it.
        Err(SmolvmError::Missing(_)) => Vec::new(),
        listed => listed.map_err(|error| failed(error.to_string()))?,
    };
    let sites = site::dead(&settings.sites).into_iter().filter_map(|lock| {
        let id = lock.to_string_lossy().into_owned();
        Some(Leftover { bottle: site::bottle_of(&lock)?, what: format!("folder {}", lock.with_extension("").display()), id })
    });
    let images = images::unused(settings).into_iter().filter_map(|path| {
        let id = path.to_string_lossy().into_owned();
        Some(Leftover { bottle: BottleName::parse(CACHE).ok()?, what: format!("unused image {id}"), id })
    });
    Ok(machines.into_iter().chain(sites).chain(images).collect())
}

/// Removes one, if a fresh look still finds it dead: the caller's list may be old, or not ours.
pub async fn remove(smolvm: &Smolvm, settings: &Settings, leftover: &Leftover) -> Result<(), CloseError> {
    let failed = |reason: String| CloseError { bottle: leftover.bottle.to_string(), what: leftover.what.clone(), reason };
    let path = Path::new(&leftover.id);
    if path.is_absolute() {
        return match (path.parent() == Some(settings.sites.as_path()), site::is_dead(path)) {
            (true, true) => site::remove(path).map_err(|error| failed(error.to_string())),
            (true, false) => Err(failed("it is in use".to_owned())),
            (false, _) => images::remove(path, settings).map_err(|error| failed(error.to_string())),
        };
    }
    let listed = |error: SmolvmError| failed(error.to_string());
    if dead(smolvm, settings).await.map_err(listed)?.contains(leftover) {
        return close::remove(smolvm, &leftover.id).await.map_err(listed);
    }
    match all(smolvm).await.map_err(listed)?.iter().any(|machine| machine.name == leftover.id) {
        true => Err(failed("it is in use, or none of this backend's".to_owned())),
        false => Ok(()),
    }
}

async fn all(smolvm: &Smolvm) -> Result<Vec<Listed>, SmolvmError> {
    smolvm.ask(arguments::list(), close::PATIENCE).await
}

/// Machines that carry our label and a lock of this person's that nobody holds.
async fn dead(smolvm: &Smolvm, settings: &Settings) -> Result<Vec<Leftover>, SmolvmError> {
    let machines = all(smolvm).await?.into_iter();
    Ok(machines.filter_map(|machine| leftover(machine, &settings.sites)).collect())
}

fn leftover(machine: Listed, sites: &Path) -> Option<Leftover> {
    let lock = Path::new(machine.labels.get(LOCK)?);
    let bottle = BottleName::parse(machine.labels.get(BOTTLE)?).ok()?;
    // Another person's, or another installation's: not ours to judge.
    if lock.parent() != Some(sites) || !site::is_dead(lock) {
        return None;
    }
    Some(Leftover { bottle, what: format!("machine {}", machine.name), id: machine.name })
}
