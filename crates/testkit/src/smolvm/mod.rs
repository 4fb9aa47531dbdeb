//! A stand-in for the program `smolvm`: records how it is called, and behaves as it is told.

mod program;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

pub use program::main;

use crate::probe_file::stand_in_file;

/// The variable that tells the stand-in where its folder is.
pub(crate) const FOLDER: &str = "BOT_BOTTLE_TEST_STAND_IN";

/// What a machine's workload does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// Says that it serves, and lives until it is killed.
    Serves,
    /// Is killed before it says a word, each time.
    Dies,
    /// Is killed the first time alone.
    DiesOnce,
    /// Says why it cannot serve.
    Complains,
    /// Says that it serves, and dies of the first bytes that come.
    Crashes,
    /// Lives and says nothing.
    Silent,
}

/// A stand-in with a folder of its own.
pub struct StandIn {
    folder: tempfile::TempDir,
}

impl StandIn {
    /// One whose machines do this.
    ///
    /// # Panics
    /// When its folder cannot be made.
    pub fn new(workload: Workload) -> Self {
        let stand_in = Self { folder: tempfile::tempdir().expect("a folder") };
        stand_in.put("workload", &format!("{workload:?}"));
        stand_in.put("version", "smolvm 1.32.2\n");
        stand_in
    }

    /// The program.
    pub fn program() -> PathBuf {
        stand_in_file()
    }

    /// Its environment: it finds its folder by it.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        vec![(FOLDER.into(), self.folder().into())]
    }

    /// Where it keeps what it knows.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What `--version` says.
    pub fn says_version(&self, version: &str) -> &Self {
        self.put("version", version);
        self
    }

    /// `command` (`machine start`) fails, with these words on stderr.
    pub fn fails(&self, command: &str, words: &str) -> &Self {
        self.put(&format!("fails {command}"), words);
        self
    }

    /// `command` does not end.
    pub fn hangs(&self, command: &str) -> &Self {
        self.put(&format!("hangs {command}"), "");
        self
    }

    /// Every call so far, each with its arguments.
    pub fn calls(&self) -> Vec<Vec<String>> {
        let recorded = fs::read_to_string(self.folder().join("calls")).unwrap_or_default();
        recorded.split_terminator('\x1e').map(|call| call.split_terminator('\x1f').map(str::to_owned).collect()).collect()
    }

    /// The calls of one command.
    pub fn calls_of(&self, command: &str) -> Vec<Vec<String>> {
        self.calls().into_iter().filter(|call| call.join(" ").starts_with(command)).collect()
    }

    /// Machines that are there.
    pub fn machines(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder().join("machines")).into_iter().flatten().flatten();
        names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    #[allow(clippy::disallowed_methods, reason = "a test's own file")]
    fn put(&self, name: &str, text: &str) {
        fs::write(self.folder().join(name), text).expect("the stand-in's folder can be written to");
    }
}

impl Drop for StandIn {
    /// No process of a machine outlives the test.
    fn drop(&mut self) {
        for machine in self.machines() {
            program::end(&self.folder().join("machines").join(machine));
        }
    }
}
