//! The agent's program as the person's shell finds it, and what of the host has to be visible so that it runs.
//!
//! Programs that live in the person's home are the usual case. What is shown is the install folder alone, by the rules in
//! `places.rs`; a script's interpreter is found and shown in the same way. Nothing is run on the host.

mod interpreter;
mod links;
mod places;
mod search;
mod shim;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use interpreter::Interpreter;
pub use places::is_system;
pub use search::FindError;

use crate::Visible;
use crate::credentials::{self, Private};
use crate::tools::link;

/// Scripts whose interpreter is a script whose interpreter …: longer chains are refused (Linux stops at 4, `execve(2)`).
const DEEPEST: usize = 4;

/// Where a bottle looks for programs without our doing: what stands there needs no link.
const ON_PATH: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// How the person's shell looks for programs.
#[derive(Debug, Clone, Copy)]
pub struct Shell<'a> {
    /// The value of `PATH`. Relative and empty entries are skipped: they would let a repository choose the program.
    pub path: &'a OsStr,
    /// The home folder, and what no bottle sees of it.
    pub private: Private<'a>,
}

/// A program that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where the shell finds it.
    pub found_at: PathBuf,
    /// What stands there in the end, all links followed and all version managers asked.
    pub real: PathBuf,
    /// What has to be visible, linked and on `PATH`. Empty for a program of the system.
    pub visible: Visible,
}

/// Finds a program by name, or by absolute path when `program` holds a `/`.
///
/// # Errors
/// When there is none, a version manager leaves open which one is meant, or showing it would show a credential.
pub fn find(program: &OsStr, shell: Shell<'_>) -> Result<Found, FindError> {
    let home = fs::canonicalize(shell.private.home).unwrap_or_else(|_| shell.private.home.to_owned());
    let mut finder = Finder { shell, home, visible: Visible::default() };
    let found_at = search::search(program, shell)?;
    let real = if program.as_encoded_bytes().contains(&b'/') {
        finder.show_at_its_path(&found_at, 0)?
    } else {
        finder.show_by_name(program, &found_at, None, 0)?
    };
    Ok(Found { found_at, real, visible: finder.visible })
}

struct Finder<'a> {
    shell: Shell<'a>,
    /// The home folder without links in it; what the shell finds may lead through them.
    home: PathBuf,
    visible: Visible,
}

impl Finder<'_> {
    /// For a program that is looked up on `PATH`: it gets a link, and nothing has to stand where the shell found it.
    fn show_by_name(&mut self, name: &OsStr, found: &Path, near: Option<&Path>, depth: usize) -> Result<PathBuf, FindError> {
        let program = shim::behind(name, found, near, self.shell.private.home)?.unwrap_or_else(|| found.to_owned());
        let real = links::follow(&program)?.end;
        if let Some(folder) = places::runs_from_its_own_folder(&program, &self.home) {
            // Such a script looks for its package beside itself, so a link to it would not do.
            self.visible.path_entries.push(folder);
        } else if !ON_PATH.iter().any(|folder| program.parent() == Some(Path::new(folder))) {
            self.visible
                .links
                .extend(link(name, &real).filter(|link| self.visible.links.iter().all(|known| known.at != link.at)));
        }
        self.show(&real)?;
        self.show_interpreter(&program, &real, depth)?;
        Ok(real)
    }

    /// For a program that is named by path: the path itself has to lead to it in the bottle.
    fn show_at_its_path(&mut self, path: &Path, depth: usize) -> Result<PathBuf, FindError> {
        let followed = links::follow(path)?;
        self.show(&followed.end)?;
        for link in followed.links {
            if !is_system(link.at.as_path()) && !self.visible.covers(link.at.as_path()) {
                self.visible.links.push(link);
            }
        }
        self.show_interpreter(path, &followed.end, depth)?;
        Ok(followed.end)
    }

    fn show(&mut self, real: &Path) -> Result<(), FindError> {
        if is_system(real) || self.visible.covers(real) {
            return Ok(());
        }
        let root = places::install_root(real, &self.home);
        let checked = credentials::check_tool(&root, self.shell.private);
        let root = checked.map_err(|source| FindError::Credential { program: real.to_owned(), source })?;
        self.visible.show(root);
        Ok(())
    }

    fn show_interpreter(&mut self, program: &Path, real: &Path, depth: usize) -> Result<(), FindError> {
        let Some(interpreter) = interpreter::of(real)? else { return Ok(()) };
        if depth == DEEPEST {
            return Err(FindError::TooDeep { program: real.to_owned() });
        }
        match interpreter {
            Interpreter::Path(path) => self.show_at_its_path(&path, depth + 1).map(drop),
            Interpreter::Name(name) => {
                let found = self.find_interpreter(&name, program, real)?;
                self.show_by_name(&name, &found, Some(program), depth + 1).map(drop)
            }
        }
    }

    /// On `PATH`, as `env` would; failing that, beside the script, where version managers keep it.
    fn find_interpreter(&self, name: &OsString, program: &Path, real: &Path) -> Result<PathBuf, FindError> {
        let on_path = search::search(name, self.shell);
        on_path.or_else(|_| {
            let mut beside = [program, real].into_iter().filter_map(|script| script.parent().map(|folder| folder.join(name)));
            let found = beside.find(|path| crate::tools::is_program(path));
            found.ok_or_else(|| FindError::NoInterpreter { program: real.to_owned(), interpreter: name.clone() })
        })
    }
}

#[cfg(test)]
mod tests;
