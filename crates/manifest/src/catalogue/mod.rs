//! All agents and bottles by name, and how one launch's worth of them is read.

mod chain;
mod entry;
mod error;
mod load;
mod note;
mod resolve;
mod scan;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use entry::Known;
pub use entry::{AgentEntry, BottleEntry};
pub use error::{OpenError, ResolveError, first_steps};
pub use note::Note;

use crate::{ManifestName, Places, Resolved};

/// The names of all agents and bottles. Opening it lists folders and reads no file, so that a broken file is in nobody's way
/// but its own.
#[derive(Debug)]
pub struct Catalogue {
    home: PathBuf,
    agents: BTreeMap<ManifestName, Known<AgentEntry>>,
    bottles: BTreeMap<ManifestName, Known<BottleEntry>>,
    notes: Vec<Note>,
}

impl Catalogue {
    /// Lists the agents of `places` and the bottles of its home.
    ///
    /// # Errors
    /// When there is no home folder, or a folder cannot be listed. A repository's folders never stop anything: what is wrong
    /// with them is a note.
    pub fn open(places: &Places) -> Result<Self, OpenError> {
        scan::scan(places)
    }

    /// All agents, by name.
    pub fn agents(&self) -> impl Iterator<Item = &AgentEntry> {
        self.agents.values().map(|known| &known.entry)
    }

    /// All bottles, by name.
    pub fn bottles(&self) -> impl Iterator<Item = &BottleEntry> {
        self.bottles.values().map(|known| &known.entry)
    }

    /// What was ignored or skipped, and why.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The person's own folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Reads `agent` and its bottles, with all their parents, into what a launch needs. `bottles` are merged in their order;
    /// where there are none, the agent's own is taken.
    ///
    /// # Errors
    /// All problems of all files involved, and unknown names with the nearest known one.
    pub fn resolve(&self, agent: &str, bottles: &[String]) -> Result<Resolved, ResolveError> {
        resolve::resolve(self, agent, bottles)
    }
}

/// A folder that several entries share.
type SharedFolder = Arc<crate::source::Folder>;
