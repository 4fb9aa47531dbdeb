//! Building images, by the `docker` program: it alone knows a person's proxies, credentials of registries and builders.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;

use bottle::{Dockerfile, Progress, Recipe};
use rustix::fs::OFlags;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use crate::settings::BuildSettings;
use carried::programs::Digest;

/// The most files beside a Dockerfile: they all go to the engine, and a Dockerfile in a home would send all of it.
const MOST_FILES: usize = 10_000;

/// Why an image cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The Dockerfile cannot be read, or what is beside it.
    #[error("reading {what}: {source}")]
    Read {
        /// What.
        what: String,
        /// Why not.
        source: io::Error,
    },
    /// Too much would be sent to the engine.
    #[error(
        "{folder} holds more than {MOST_FILES} files, all of which a build may copy: put the Dockerfile into a folder of its own"
    )]
    TooMany {
        /// The Dockerfile's folder.
        folder: String,
    },
    /// There is no program that builds.
    #[error(
        "starting `docker build`: {0}; install the docker program (`sudo apt install docker.io`), or name an image that the engine has"
    )]
    Start(io::Error),
    /// What it says cannot be heard.
    #[error("`docker build`: {0}")]
    Io(#[from] io::Error),
    /// It failed.
    #[error("`docker build` of {name} ended with {status}; its last lines:\n{last}")]
    Failed {
        /// The image.
        name: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said last.
        last: String,
    },
}

/// The image that a recipe makes here: its tag tells versions apart, so that one that is there need not be built.
///
/// Files beside a Dockerfile count by name, mode, size and time: a change of content alone, all else equal, is not seen.
///
/// # Errors
/// When the Dockerfile or something beside it cannot be read.
pub fn name(recipe: &Recipe, settings: &BuildSettings) -> Result<String, BuildError> {
    let mut digest = Digest::default();
    match &recipe.dockerfile {
        Dockerfile::Text(text) => {
            digest.add(text.as_bytes());
            // The base is an argument of the project's own Dockerfiles alone.
            digest.add(settings.base.as_deref().unwrap_or_default().as_bytes());
        }
        Dockerfile::File(place) => {
            let folder = place.path().parent().unwrap_or(Path::new("/"));
            let failed = |path: &Path| {
                let what = path.display().to_string();
                move |source| BuildError::Read { what, source }
            };
            digest.add(&io_read(place).map_err(failed(place.path()))?);
            let (mut files, mut folders) = (0, vec![folder.to_owned()]);
            while let Some(inner) = folders.pop() {
                let entries = fs::read_dir(&inner).and_then(Iterator::collect::<io::Result<Vec<_>>>);
                let mut entries = entries.map_err(failed(&inner))?;
                entries.sort_by_key(fs::DirEntry::file_name);
                files += entries.len();
                if files > MOST_FILES {
                    return Err(BuildError::TooMany { folder: folder.display().to_string() });
                }
                for entry in entries {
                    // A link counts as itself, as it does for a build.
                    let metadata = entry.metadata().map_err(failed(&entry.path()))?;
                    digest.add(entry.path().as_os_str().as_encoded_bytes());
                    for number in
                        [i64::from(metadata.mode()), metadata.size().cast_signed(), metadata.mtime(), metadata.mtime_nsec()]
                    {
                        digest.add(&number.to_le_bytes());
                    }
                    if metadata.is_dir() {
                        folders.push(entry.path());
                    }
                }
            }
        }
    }
    Ok(format!("bot-bottle-{}:{:016x}", recipe.name, digest.value()))
}

/// Builds it. Dropped on the way, the tool is ended, and what it has made so far are layers without a name.
///
/// # Errors
/// When it cannot be started or fails; what it said has been told by then.
pub async fn build(
    recipe: &Recipe,
    name: &str,
    socket: &Path,
    settings: &BuildSettings,
    progress: &mut dyn Progress,
) -> Result<(), BuildError> {
    progress.line(&format!("building image {name}"));
    let mut child = tool(recipe, name, socket, settings).spawn().map_err(BuildError::Start)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let text = match &recipe.dockerfile {
        Dockerfile::Text(text) => text.as_bytes().to_owned(),
        Dockerfile::File(place) => io_read(place)?,
    };
    // It may end before it has read everything; then its status says more.
    let feed = async {
        if let Some(mut stdin) = stdin {
            let _ = stdin.write_all(&text).await;
        }
    };
    let last = async { tell(stdout, stderr, progress).await };
    let ((), last) = tokio::join!(feed, last);
    finished(child, name, last?).await
}

async fn finished(mut child: Child, name: &str, last: Vec<String>) -> Result<(), BuildError> {
    let status = child.wait().await?;
    match status.success() {
        true => Ok(()),
        false => Err(BuildError::Failed { name: name.to_owned(), status, last: last.join("\n") }),
    }
}

/// The Dockerfile comes on stdin, so that it is the one that was looked at.
fn tool(recipe: &Recipe, name: &str, socket: &Path, settings: &BuildSettings) -> Command {
    #[allow(clippy::disallowed_methods, reason = "the module that owns `docker`")]
    let mut command = std::process::Command::new("docker");
    command.arg("--host").arg(format!("unix://{}", socket.display())).args(["build", "--tag", name]);
    command.args(["--label", "bot-bottle.image", "--force-rm"]);
    if let Some(network) = &settings.network {
        command.args(["--network", network]);
    }
    match &recipe.dockerfile {
        Dockerfile::Text(_) => {
            if let Some(base) = &settings.base {
                command.arg("--build-arg").arg(format!("BASE={base}"));
            }
            command.arg("-");
        }
        Dockerfile::File(place) => {
            command.args(["--file", "-"]).arg(place.path().parent().unwrap_or(Path::new("/")));
        }
    }
    let mut command = Command::from(command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Tells every line of both streams as it comes; gives the last few.
async fn tell(
    stdout: Option<impl AsyncRead + Unpin>,
    stderr: Option<impl AsyncRead + Unpin>,
    progress: &mut dyn Progress,
) -> io::Result<Vec<String>> {
    const KEPT: usize = 12;
    let mut streams = (stdout.map(|stream| BufReader::new(stream).lines()), stderr.map(|stream| BufReader::new(stream).lines()));
    let mut last = Vec::new();
    loop {
        let (first, line) = tokio::select! {
            line = next(&mut streams.0) => (true, line?),
            line = next(&mut streams.1) => (false, line?),
            else => return Ok(last),
        };
        match line {
            Some(line) => {
                // What would be drawn over itself: how it looks in the end.
                let line = line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default().to_owned();
                progress.line(&line);
                last.drain(..last.len().saturating_sub(KEPT - 1));
                last.push(line);
            }
            None if first => streams.0 = None,
            None => streams.1 = None,
        }
        if streams.0.is_none() && streams.1.is_none() {
            return Ok(last);
        }
    }
}

async fn next<R: AsyncRead + Unpin>(lines: &mut Option<tokio::io::Lines<BufReader<R>>>) -> io::Result<Option<String>> {
    match lines {
        Some(lines) => lines.next_line().await,
        None => std::future::pending().await,
    }
}

fn io_read(place: &bottle::HostPlace) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    io::Read::read_to_end(&mut fs::File::from(place.open(OFlags::RDONLY)?), &mut text)?;
    Ok(text)
}
