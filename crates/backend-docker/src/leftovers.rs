//! What sessions that were killed have left behind.

use std::collections::HashMap;
use std::path::Path;

use bollard::Docker;
use bollard::models::ContainerSummary;
use bollard::query_parameters::ListContainersOptions;
use bottle::{BottleName, CloseError, Leftover, Unavailable};

use crate::backend::NAME;
use crate::containers::{BOTTLE, LOCK};
use crate::engine::text;
use helper::session::site;

use crate::close;

/// Containers, and folders on the host.
pub async fn find(api: &Docker, folder: &Path) -> Result<Vec<Leftover>, Unavailable> {
    let failed = |reason: String| Unavailable { backend: NAME, missing: reason, hints: Vec::new() };
    let containers = dead(api, folder).await.map_err(failed)?;
    let sites = site::dead(folder).into_iter().filter_map(|lock| {
        let id = lock.to_string_lossy().into_owned();
        Some(Leftover { bottle: site::bottle_of(&lock)?, what: format!("folder {}", lock.with_extension("").display()), id })
    });
    Ok(containers.into_iter().chain(sites).collect())
}

/// Removes one, if a fresh look still finds it dead: the caller's list may be old, or not ours.
pub async fn remove(api: &Docker, folder: &Path, leftover: &Leftover) -> Result<(), CloseError> {
    let failed = |reason: String| CloseError { bottle: leftover.bottle.to_string(), what: leftover.what.clone(), reason };
    let path = Path::new(&leftover.id);
    if path.is_absolute() {
        return match (path.parent() == Some(folder), site::is_dead(path)) {
            (true, true) => site::remove(path).map_err(|error| failed(error.to_string())),
            (true, false) => Err(failed("it is in use".to_owned())),
            (false, _) => Err(failed("it is none of this backend's".to_owned())),
        };
    }
    match dead(api, folder).await.map_err(failed)?.contains(leftover) {
        true => close::remove(api, &leftover.id).await.map_err(failed),
        false => match exists(api, &leftover.id).await {
            true => Err(failed("it is in use".to_owned())),
            false => Ok(()),
        },
    }
}

async fn exists(api: &Docker, container: &str) -> bool {
    api.inspect_container(container, None).await.is_ok()
}

/// Containers that carry our label and a lock of this person's that nobody holds.
async fn dead(api: &Docker, folder: &Path) -> Result<Vec<Leftover>, String> {
    let filters = HashMap::from([("label".to_owned(), vec![BOTTLE.to_owned()])]);
    let options = ListContainersOptions { all: true, filters: Some(filters), ..ListContainersOptions::default() };
    let containers = api.list_containers(Some(options)).await.map_err(|error| text(&error))?;
    Ok(containers.into_iter().filter_map(|container| leftover(container, folder)).collect())
}

fn leftover(container: ContainerSummary, folder: &Path) -> Option<Leftover> {
    let labels = container.labels?;
    let lock = Path::new(labels.get(LOCK)?);
    let bottle = BottleName::parse(labels.get(BOTTLE)?).ok()?;
    // Another person's, or another installation's: not ours to judge.
    if lock.parent() != Some(folder) || !site::is_dead(lock) {
        return None;
    }
    let name = container.names?.first()?.trim_start_matches('/').to_owned();
    Some(Leftover { bottle, what: format!("container {name}"), id: container.id? })
}
