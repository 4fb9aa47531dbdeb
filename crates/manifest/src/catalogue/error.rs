use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use owner::NotOurs;

use crate::diagnostic::shown_path;
use crate::source::own_it;
use crate::{Diagnostic, Style};

/// Why no catalogue could be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no home folder yet. [`first_steps`] says what to write.
    #[error("there are no manifests: {} does not exist", shown_path(.home))]
    NoHome {
        /// Where it was looked for.
        home: PathBuf,
    },
    /// The home folder, or one of the two in it, cannot be listed.
    #[error("cannot list {}: {why}", shown_path(.folder))]
    Unusable {
        /// The folder.
        folder: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// Somebody else could have written what is in the home folder, or in one of the two in it.
    #[error("manifests are not read from {}: {why}", shown_path(.folder))]
    NotOurs {
        /// The folder.
        folder: PathBuf,
        /// Who could have.
        why: NotOurs,
    },
}

impl OpenError {
    /// What to do about it, for people; several lines.
    pub fn help(&self) -> String {
        match self {
            Self::NoHome { home } => first_steps(home),
            Self::Unusable { folder, .. } => format!("make {} a folder that you can read", shown_path(folder)),
            Self::NotOurs { why, .. } => format!("look at what is in it; {}", own_it(*why)),
        }
    }
}

/// Which two files to write where, with a minimal example of each.
pub fn first_steps(home: &Path) -> String {
    let home = shown_path(home);
    format!(
        "write two small files:\n\n\
         {home}/bottles/dev.md\n    ---\n    agent_provider:\n      template: claude\n    ---\n    What the agent may use. This text is for you.\n\n\
         {home}/agents/helper.md\n    ---\n    bottle: dev\n    ---\n    You are a careful programmer. (This text is the agent's system prompt.)\n\n\
         then run: bot-bottle start helper\n"
    )
}

/// Every problem that keeps an agent from being launched. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveError {
    diagnostics: Vec<Diagnostic>,
}

impl ResolveError {
    pub(super) fn new(diagnostics: Vec<Diagnostic>) -> Self {
        Self { diagnostics }
    }

    /// The problems, file by file.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// All problems with their lines, carets and help, for people.
    pub fn render(&self, style: Style) -> String {
        self.diagnostics.iter().map(|diagnostic| diagnostic.render(style)).collect::<Vec<_>>().join("\n\n")
    }
}

impl fmt::Display for ResolveError {
    /// One line for each problem.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ResolveError {}
