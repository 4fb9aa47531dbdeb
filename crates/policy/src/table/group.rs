use crate::readings::Paths;
use crate::request_match::Fit;
use crate::{Asked, Rule};

/// The rules of one host pattern.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Group {
    /// Where they stand in the table, in order.
    pub rules: Vec<usize>,
    /// Whether any of them looks at paths: where none does, no path is too odd.
    reads_paths: bool,
    /// Whether any of them looks at methods: where none does, it does not matter which one a server takes a request for.
    reads_methods: bool,
}

/// Which rule is for a request.
pub(super) enum Choice<'a> {
    /// This one.
    Rule(&'a Rule),
    /// None allows the port.
    NoPort,
    /// None.
    None,
    /// That depends on who reads the path.
    Unsure,
}

impl Group {
    pub fn add(&mut self, index: usize, rule: &Rule) {
        self.rules.push(index);
        self.reads_paths |= rule.route.matches.iter().any(|own| !own.paths.is_empty());
        self.reads_methods |= rule.route.matches.iter().any(|own| !own.methods.is_empty());
    }

    /// Its rules, in order.
    pub fn rules<'a>(&'a self, all: &'a [Rule]) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().filter_map(|&index| all.get(index))
    }

    pub fn choose<'a>(&'a self, all: &'a [Rule], asked: &Asked<'_>) -> Choice<'a> {
        let own = self.choose_by_path(all, asked);
        if !self.reads_methods {
            return own;
        }
        for method in asked.overriding() {
            let taken_for = self.choose_by_path(all, &Asked { method: &method, ..*asked });
            if !own.is_like(&taken_for) {
                // What it may not be taken for it may not be; which of two rules decides nobody can tell either.
                return if let Choice::Rule(_) = taken_for { Choice::None } else { taken_for };
            }
        }
        own
    }

    fn choose_by_path<'a>(&'a self, all: &'a [Rule], asked: &Asked<'_>) -> Choice<'a> {
        if !self.rules(all).any(|rule| rule.route.allows_port(asked.transport, asked.port)) {
            return Choice::NoPort;
        }
        if !self.reads_paths {
            return self.first(all, asked, None);
        }
        match Paths::of(asked.path) {
            Paths::Plain(path) => self.first(all, asked, Some(path)),
            Paths::Odd => self.first(all, asked, None),
            Paths::Several(readings) => {
                let mut choices = readings.iter().map(|path| self.first(all, asked, Some(&path)));
                let Some(first) = choices.next() else { return Choice::Unsure };
                if choices.all(|other| first.is_like(&other)) { first } else { Choice::Unsure }
            }
        }
    }

    /// The first rule that fits, the path read as `path`.
    fn first<'a>(&'a self, all: &'a [Rule], asked: &Asked<'_>, path: Option<&[u8]>) -> Choice<'a> {
        for rule in self.rules(all).filter(|rule| rule.route.allows_port(asked.transport, asked.port)) {
            match fit(rule, asked, path) {
                Fit::Yes => return Choice::Rule(rule),
                Fit::No => {}
                // Threat: a path made odd on purpose, so that a stricter rule lets go of the request and a later one takes it.
                Fit::Unsure => return Choice::Unsure,
            }
        }
        Choice::None
    }
}

impl Choice<'_> {
    /// Whether both let the same pass with the same consequences.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Rule(one), Self::Rule(other)) => {
                let (a, b) = (&one.route, &other.route);
                (&a.auth, &a.dlp, &a.addresses, one.account) == (&b.auth, &b.dlp, &b.addresses, other.account)
            }
            (Self::NoPort, Self::NoPort) | (Self::None, Self::None) | (Self::Unsure, Self::Unsure) => true,
            (Self::Rule(_) | Self::NoPort | Self::None | Self::Unsure, _) => false,
        }
    }
}

fn fit(rule: &Rule, asked: &Asked<'_>, path: Option<&[u8]>) -> Fit {
    let matches = &rule.route.matches;
    if matches.is_empty() {
        return Fit::Yes;
    }
    let mut best = Fit::No;
    for own in matches {
        match own.fit(asked, path) {
            Fit::Yes => return Fit::Yes,
            Fit::No => {}
            Fit::Unsure => best = Fit::Unsure,
        }
    }
    best
}
