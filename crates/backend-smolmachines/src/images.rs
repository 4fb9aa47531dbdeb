//! The images that machines are made from. An image that an engine holds is saved into a cache once.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use bottle::{HostPlace, RootFs};
use rustix::fs::OFlags;
use shown::Shown;
use tokio::process::Command;

use crate::settings::Settings;

/// Programs that hold images and save them in Docker's format.
const ENGINES: [&str; 2] = ["docker", "podman"];
/// How long saving may take.
const PATIENCE: Duration = Duration::from_secs(1800);
/// Ending of an image in the cache.
const ARCHIVE: &str = "tar";
/// An image that no bottle was made from for so long is not kept.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It is not what was looked at.
    #[error(transparent)]
    Place(#[from] bottle::PlaceError),
    /// No engine has it.
    #[error("no engine on this machine has an image {name:?} ({tried})")]
    Missing {
        /// The image.
        name: String,
        /// What each engine says.
        tried: String,
    },
    /// The engine cannot give it.
    #[error("`{engine} save {name}`: {reason}")]
    Save {
        /// The engine's program.
        engine: &'static str,
        /// The image.
        name: String,
        /// Why not.
        reason: String,
    },
    /// The cache cannot be written.
    #[error("keeping an image in {}: {source}", Shown::path(.folder))]
    Cache {
        /// Where.
        folder: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The backend makes no such images.
    #[error("{0}")]
    Unsupported(String),
}

/// What `--image` gets: a folder or an archive of the host.
///
/// # Errors
/// When there is none.
pub async fn path(root: &RootFs, settings: &Settings, patience: Duration) -> Result<PathBuf, ImageError> {
    match root {
        RootFs::Default => settings
            .image
            .clone()
            .ok_or_else(|| ImageError::Unsupported("a machine is made from an image, and none is named".to_owned())),
        RootFs::Folder(place) | RootFs::Archive(place) => unchanged(place).map(|()| place.path().to_owned()),
        RootFs::Image(name) => saved(name, settings, patience).await,
        RootFs::Build(_) => Err(ImageError::Unsupported("smolvm builds no images".to_owned())),
    }
}

/// smolvm opens images and tools by path: what was swapped since the person saw it is used at no time.
///
/// # Errors
/// When something else stands there.
pub fn unchanged(place: &HostPlace) -> Result<(), ImageError> {
    Ok(place.open(OFlags::PATH).map(drop)?)
}

/// The image's archive in the cache, saved when it is not there.
///
/// # Errors
/// When no engine has it, or it cannot be written.
pub async fn saved(name: &str, settings: &Settings, patience: Duration) -> Result<PathBuf, ImageError> {
    let mut tried = Vec::new();
    for engine in ENGINES {
        match identity(engine, name, settings).await {
            Ok(id) => return save(engine, name, &id, settings, patience).await,
            Err(reason) => tried.push(format!("{engine}: {reason}")),
        }
    }
    Err(ImageError::Missing { name: name.to_owned(), tried: tried.join("; ") })
}

/// What the image is, by content: 64 hexadecimal digits.
async fn identity(engine: &'static str, name: &str, settings: &Settings) -> Result<String, String> {
    let mut command = tool(engine, settings);
    command.args(["image", "inspect", "--format", "{{.Id}}", "--", name]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = command.output().await.map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(if output.status.success() { &output.stdout } else { &output.stderr }).trim().to_owned();
    let id = said.strip_prefix("sha256:").unwrap_or(&said);
    match output.status.success() && id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(id.to_owned()),
        false => Err(Shown::text(said.lines().last().unwrap_or("it says nothing")).to_string()),
    }
}

async fn save(
    engine: &'static str,
    name: &str,
    id: &str,
    settings: &Settings,
    patience: Duration,
) -> Result<PathBuf, ImageError> {
    let folder = cache(settings);
    let failed = |source| ImageError::Cache { folder: folder.clone(), source };
    let place = folder.join(id).with_extension(ARCHIVE);
    // Its time tells `cleanup` when it was used last.
    if let Ok(kept) = File::options().append(true).open(&place) {
        kept.set_modified(SystemTime::now()).map_err(failed)?;
        return Ok(place);
    }
    fs::create_dir_all(&folder).map_err(failed)?;
    // Without a name until it is whole: whatever ends this on the way leaves nothing that could be taken for an image.
    let part = tempfile::NamedTempFile::new_in(&folder).map_err(failed)?;
    let mut command = tool(engine, settings);
    command.args(["save", "--", name]).stdout(part.as_file().try_clone().map_err(failed)?).stderr(Stdio::piped());
    let refused = |reason: String| ImageError::Save { engine, name: name.to_owned(), reason };
    // Not `output`, which would take stdout back into this process.
    let saving = async { command.spawn()?.wait_with_output().await };
    let output = match tokio::time::timeout(patience.min(PATIENCE), saving).await {
        Ok(output) => output.map_err(|error| refused(error.to_string()))?,
        Err(_) => return Err(refused(format!("it has not ended after {patience:?}"))),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(refused(format!("{}: {}", output.status, Shown::text(said.trim().lines().last().unwrap_or_default()))));
    }
    part.as_file().sync_all().map_err(failed)?;
    part.persist(&place).map_err(|error| failed(error.error))?;
    Ok(place)
}

fn tool(program: &str, settings: &Settings) -> Command {
    #[allow(clippy::disallowed_methods, reason = "the module that asks engines for images")]
    let mut command = std::process::Command::new(program);
    command.env_clear().envs(settings.environment.iter().map(|(name, value): &(OsString, OsString)| (name, value)));
    let mut command = Command::from(command);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Where images of engines are kept.
fn cache(settings: &Settings) -> PathBuf {
    settings.folder.join("images")
}

/// What is in the cache and wanted no more.
pub fn unused(settings: &Settings) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(cache(settings)) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).filter(|path| is_unused(path)).collect()
}

/// Whether it was not used lately; half an image that nobody is writing counts as that too.
fn is_unused(path: &Path) -> bool {
    let age = fs::symlink_metadata(path).ok().and_then(|metadata| metadata.modified().ok()?.elapsed().ok());
    age.is_some_and(|age| age > KEPT)
}

/// Removes one, if it still is wanted no more.
///
/// # Errors
/// When it is used, or none of the cache's.
pub fn remove(path: &Path, settings: &Settings) -> io::Result<()> {
    if path.parent() != Some(cache(settings).as_path()) || !is_unused(path) {
        return Err(io::Error::other("it is in use, or none of this backend's"));
    }
    fs::remove_file(path)
}
