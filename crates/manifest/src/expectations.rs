use std::path::Path;

use policy::{Code, HeaderName, HeaderValue, UrlTarget};

use crate::diagnostic::Problems;
use crate::read::Reader;
use crate::section::expectations;
use crate::{Diagnostic, source, yaml};

/// What an agent in its bottles must and must not be able to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectations {
    /// The agent's name, as it is written.
    pub agent: String,
    /// The bottles, as with `--bottle`; empty: the agent's own.
    pub bottles: Vec<String>,
    /// The requests. Not empty.
    pub cases: Vec<Case>,
}

/// One request and what must become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The URL as it is written.
    pub text: String,
    /// The URL.
    pub url: UrlTarget,
    /// The method as it would be sent.
    pub method: String,
    /// The headers that would be sent, each value a line of its own.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What must become of it.
    pub expected: Expected,
    /// The line it begins at, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

/// What must become of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It passes.
    Allow,
    /// It is refused; with this code, where one is named.
    Refuse(Option<Code>),
}

impl Expectations {
    /// Reads the file at `path`, within the bounds of manifests.
    ///
    /// # Errors
    /// Every problem in it. Never empty.
    pub fn read(path: &Path) -> Result<Self, Vec<Diagnostic>> {
        let source = source::read_named(path).map_err(|diagnostic| vec![*diagnostic])?;
        let problems = Problems::default();
        let root = yaml::parse(&source, 0..source.text().len(), &problems);
        let expectations = root.and_then(|root| expectations::read(Reader::new(&source, &problems), &root));
        match (problems.into_diagnostics(&source), expectations) {
            (told, Some(expectations)) if told.is_empty() => Ok(expectations),
            (told, _) => Err(told),
        }
    }
}
