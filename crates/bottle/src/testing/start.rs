use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

use super::node::{Content, Node};
use super::process::{FakeProcess, Streams};
use super::world::World;
use super::{FakeProgram, job::Job, job::Signals};
use crate::{Exec, ExecError, ExitStatus, GuestPath, User};

/// How a process ended, once it has.
pub(super) type Ended = watch::Receiver<Option<ExitStatus>>;

/// Runs `program` as `process` on a thread of its own.
pub(super) fn on_thread(mut process: FakeProcess, program: FakeProgram) -> io::Result<Ended> {
    let (ended, end) = watch::channel(None);
    let (job, signals) = (process.job.clone(), process.signals.clone());
    job.join(&signals)?;
    let thread = std::thread::Builder::new().name("fake process".to_owned());
    let started = thread.spawn({
        let (job, signals) = (job.clone(), signals.clone());
        move || {
            // A program that panics ends as Rust programs do.
            let code = catch_unwind(AssertUnwindSafe(|| program(&mut process))).unwrap_or(101);
            drop(process);
            let status = signals.death().map_or(ExitStatus::Code(code), ExitStatus::Signal);
            job.leave(&signals);
            ended.send_replace(Some(status));
        }
    });
    if started.is_err() {
        job.leave(&signals);
    }
    started.map(|_thread| end)
}

/// Finds the program and everything it needs; `streams` are made by the caller.
pub(super) fn prepare(
    world: &Arc<World>,
    exec: &Exec,
    job: Arc<Job>,
    streams: Streams,
) -> Result<(FakeProcess, FakeProgram), ExecError> {
    let bottle = || world.name.to_string();
    let failed = |reason: &str| ExecError::Failed { bottle: bottle(), program: exec.program(), reason: reason.to_owned() };
    let has_nul = |text: &OsStr| text.as_bytes().contains(&0);
    if exec.argv.is_empty() {
        return Err(failed("there is no program in the request"));
    }
    if exec.argv.iter().any(|arg| has_nul(arg))
        || exec.env.iter().any(|(name, value)| has_nul(name) || value.reveal().contains(&0))
    {
        return Err(failed("an argument or variable holds a NUL byte"));
    }
    let env = environment(exec);
    let folder = folder(world, exec)?;
    let program = find(world, exec, &env, &folder)?;
    let signals = Signals::new().map_err(|error| failed(&error.to_string()))?;
    let argv = exec.argv.clone();
    Ok((FakeProcess { argv, env, user: exec.user, folder, streams, signals, job, world: world.clone() }, program))
}

/// The same as on every backend, in two parts.
fn environment(exec: &Exec) -> Vec<(OsString, Vec<u8>)> {
    let split = |variable: Vec<u8>| {
        let (name, value) = variable.split_at(variable.iter().position(|&byte| byte == b'=').unwrap_or(variable.len()));
        (OsStr::from_bytes(name).to_owned(), value.get(1..).unwrap_or_default().to_owned())
    };
    crate::environment(exec).into_iter().map(split).collect()
}

fn folder(world: &World, exec: &Exec) -> Result<GuestPath, ExecError> {
    let wanted = match &exec.folder {
        Some(folder) => folder.clone(),
        None => GuestPath::parse(exec.user.home()).map_err(|error| ExecError::Failed {
            bottle: world.name.to_string(),
            program: exec.program(),
            reason: error.to_string(),
        })?,
    };
    let root = world.files.snapshot();
    match enter(&root, exec.user, &wanted) {
        Ok(folder) => Ok(folder),
        Err(error) => Err(ExecError::Folder { bottle: world.name.to_string(), folder: wanted, reason: error.to_string() }),
    }
}

fn enter(root: &Node, user: User, folder: &GuestPath) -> io::Result<GuestPath> {
    let names = root.resolve(user, folder, Path::new("."), true)?;
    let node = root.at(&names).ok_or(io::ErrorKind::NotFound)?;
    match node.content {
        Content::Folder(_) => node.allows(user, 0o1)?,
        Content::File(_) | Content::Link(_) | Content::Fifo => return Err(io::ErrorKind::NotADirectory.into()),
    }
    let path = names.iter().fold(std::path::PathBuf::from("/"), |path, name| path.join(name));
    GuestPath::parse(path).map_err(io::Error::other)
}

/// Looks the program up as `execvp(3)` does.
fn find(world: &World, exec: &Exec, env: &[(OsString, Vec<u8>)], folder: &GuestPath) -> Result<FakeProgram, ExecError> {
    let name = exec.argv.first().map(OsString::as_os_str).unwrap_or_default();
    let not_found = || ExecError::NotFound { bottle: world.name.to_string(), program: exec.program() };
    let not_runnable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => not_found(),
        _other => ExecError::NotRunnable { bottle: world.name.to_string(), program: exec.program(), reason: error.to_string() },
    };
    if name.is_empty() {
        return Err(not_found());
    }
    if name.as_bytes().contains(&b'/') {
        return open(world, exec.user, folder, Path::new(name)).map_err(not_runnable);
    }
    let path = env.iter().find(|(variable, _)| variable == "PATH").map(|(_, value)| value.as_slice()).unwrap_or_default();
    let mut answer = Err(not_found());
    for place in path.split(|&byte| byte == b':') {
        match open(world, exec.user, folder, &Path::new(OsStr::from_bytes(place)).join(name)) {
            Ok(program) => return Ok(program),
            // Found but closed: said so unless a later one can be run.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => answer = Err(not_runnable(error)),
            Err(_not_here) => {}
        }
    }
    answer
}

fn open(world: &World, user: User, folder: &GuestPath, path: &Path) -> io::Result<FakeProgram> {
    let root = world.files.snapshot();
    let node = root.at(&root.resolve(user, folder, path, true)?).ok_or(io::ErrorKind::NotFound)?;
    node.allows(user, 0o1)?;
    match &node.content {
        Content::File(bytes) => {
            world.programs.in_file(bytes).ok_or_else(|| io::Error::other("no program of the fake bottle (Exec format error)"))
        }
        Content::Folder(_) | Content::Link(_) | Content::Fifo => Err(io::ErrorKind::PermissionDenied.into()),
    }
}
