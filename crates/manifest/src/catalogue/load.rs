use std::sync::Arc;

use super::{AgentEntry, BottleEntry, Known};
use crate::Diagnostic;
use crate::diagnostic::Problems;
use crate::read::Reader;
use crate::section::{self, AgentFile, BottleFile};
use crate::source::{self, Folder, Parts, SourceFile};
use crate::yaml::{self, Node};

/// A file that has been read, with its problems told.
pub(super) struct Loaded<T> {
    pub source: Arc<SourceFile>,
    pub content: T,
    pub body: std::ops::Range<usize>,
}

pub(super) fn agent(known: &Known<AgentEntry>, told: &mut Vec<Diagnostic>) -> Option<Loaded<AgentFile>> {
    load(&known.folder, known.entry.name.as_str(), told, section::read_agent)
}

pub(super) fn bottle(known: &Known<BottleEntry>, told: &mut Vec<Diagnostic>) -> Option<Loaded<BottleFile>> {
    load(&known.folder, known.entry.name.as_str(), told, section::read_bottle)
}

fn load<T>(folder: &Folder, name: &str, told: &mut Vec<Diagnostic>, read: impl Fn(Reader<'_>, &Node) -> T) -> Option<Loaded<T>> {
    let (source, Parts { yaml, body }) = match open(folder, name) {
        Ok(opened) => opened,
        Err(diagnostic) => {
            told.push(*diagnostic);
            return None;
        }
    };
    let problems = Problems::default();
    let content = yaml::parse(&source, yaml, &problems).map(|root| read(Reader::new(&source, &problems), &root));
    told.extend(problems.into_diagnostics(&source));
    Some(Loaded { source: Arc::new(source), content: content?, body })
}

fn open(folder: &Folder, name: &str) -> Result<(SourceFile, Parts), Box<Diagnostic>> {
    let source = source::read(folder, &format!("{name}.md"))?;
    let parts = source::split(&source)?;
    Ok((source, parts))
}
