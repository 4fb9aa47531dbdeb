use std::path::PathBuf;

use policy::{Account, LogLevel, Origin, Route, Rule};

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

impl Egress {
    /// The routes as rules, in order. What an agent's provider adds is not among them.
    pub fn rules(&self) -> Vec<Rule> {
        let rule = |declared: &DeclaredRoute| Rule {
            route: declared.route.clone(),
            origin: Origin::File { file: declared.file.clone(), line: declared.line },
            account: Account::Any,
        };
        self.routes.iter().map(rule).collect()
    }
}
