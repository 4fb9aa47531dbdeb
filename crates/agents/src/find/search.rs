use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::Shell;
use crate::Shown;
use crate::credentials::CredentialError;
use crate::tools::is_program;

/// Why a program cannot run in a bottle.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// Nothing of that name on `PATH`.
    #[error("no program {} on your PATH; install it, or put its folder on PATH", Shown(.program))]
    NotFound {
        /// The name.
        program: OsString,
    },
    /// Nothing that can be run at that path.
    #[error("{} is no program that can be run; give a name, or an absolute path to an executable file", Shown(.program))]
    NoProgram {
        /// The path as given.
        program: OsString,
    },
    /// A version manager has several, and nothing says which is meant.
    #[error(
        "{} is there in several versions ({}) and {} names none of them as yours; choose one there, or put its folder first on PATH",
        Shown(.program),
        list(.candidates),
        list(.pins)
    )]
    Ambiguous {
        /// The name.
        program: OsString,
        /// The programs it could be.
        candidates: Vec<PathBuf>,
        /// The files where the manager keeps the person's choice.
        pins: Vec<PathBuf>,
    },
    /// A version manager stands before it and has it in no version.
    #[error("{} belongs to a version manager that has no program {} installed", Shown::path(.shim), Shown(.program))]
    EmptyShim {
        /// The name.
        program: OsString,
        /// What the shell finds.
        shim: PathBuf,
    },
    /// A script's interpreter is nowhere.
    #[error("{} needs {}, which is not on your PATH; install it, or put its folder on PATH", Shown::path(.program), Shown(.interpreter))]
    NoInterpreter {
        /// The script.
        program: PathBuf,
        /// What its first line names.
        interpreter: OsString,
    },
    /// Interpreters of interpreters without end.
    #[error("{} is a script of a script of a script: its interpreter cannot be found", Shown::path(.program))]
    TooDeep {
        /// The last script.
        program: PathBuf,
    },
    /// The system refused to look.
    #[error("looking at {}: {source}", Shown::path(.path))]
    Unreadable {
        /// What could not be looked at.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Its install folder holds credentials.
    #[error("cannot show {} to the bottle: {source}; install it elsewhere", Shown::path(.program))]
    Credential {
        /// The program.
        program: PathBuf,
        /// What would be shown.
        source: CredentialError,
    },
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| Shown::path(path).to_string()).collect::<Vec<_>>().join(", ")
}

/// What a shell would run (POSIX.1-2024, 2.9.1.4 "Command Search and Execution"), without functions and built-ins.
pub(super) fn search(program: &OsStr, shell: Shell<'_>) -> Result<PathBuf, FindError> {
    if program.as_bytes().contains(&b'/') {
        let path = Path::new(program);
        let found = path.is_absolute() && is_program(path);
        return if found { Ok(path.to_owned()) } else { Err(FindError::NoProgram { program: program.to_owned() }) };
    }
    let folders = shell.path.as_bytes().split(|byte| *byte == b':').map(|folder| Path::new(OsStr::from_bytes(folder)));
    let mut places = folders.filter(|folder| folder.is_absolute()).map(|folder| folder.join(program));
    let found = places.find(|place| !program.is_empty() && is_program(place));
    found.ok_or_else(|| FindError::NotFound { program: program.to_owned() })
}
