use std::path::PathBuf;

use policy::{LogLevel, Route};

/// The way out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Egress {
    /// What may be reached, in the order of the files. Several bottles may each bring routes to one host.
    pub routes: Vec<DeclaredRoute>,
    /// What is logged.
    pub log: LogLevel,
}

/// A route and where it was written, so that a refusal can name the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredRoute {
    /// The route.
    pub route: Route,
    /// The file that declares it.
    pub file: PathBuf,
    /// The line in that file, from 1.
    pub line: usize,
}
