//! The rules of one bottle, ready to judge by.

mod conflict;
mod group;
mod refused;

use std::collections::HashMap;

pub use conflict::TableConflict;
use group::{Choice, Group};

use crate::{Asked, Host, HostPattern, Refusal, Rule, TlsMode, Transport};

/// The rules of one bottle, ready to judge by. Immutable; a change of policy is a new table.
///
/// The most specific host pattern that has rules decides alone: the exact host before a wildcard, a longer suffix before a
/// shorter one. Among the rules of that pattern the first, in the order of their declaration, whose ports and matches fit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    rules: Vec<Rule>,
    exact: HashMap<Host, Group>,
    /// By the part after `*.`.
    below: HashMap<String, Group>,
}

/// What happens to a connection to a host and port, before any request is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach<'a> {
    /// TLS is ended here and requests are judged one by one, as are those that come without TLS.
    Intercept(&'a Rule),
    /// TLS is passed on unopened, by this rule. What is not TLS is judged request by request.
    Passthrough(&'a Rule),
    /// Nothing passes.
    Refuse(Refusal),
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// It passes by this rule.
    Allow(&'a Rule),
    /// It does not.
    Refuse(Refusal),
}

impl Table {
    /// A table of `rules`, in the order in which they were declared.
    ///
    /// # Errors
    /// When two rules for one pattern cannot both hold, or one would silently take away what the other says. The error names
    /// both places.
    pub fn new(rules: Vec<Rule>) -> Result<Self, Box<TableConflict>> {
        let mut table = Self { rules, ..Self::default() };
        for (index, rule) in table.rules.iter().enumerate() {
            let group = match &rule.route.host {
                HostPattern::Exact(host) => table.exact.entry(host.clone()).or_default(),
                HostPattern::Below(suffix) => table.below.entry(suffix.clone()).or_default(),
            };
            for &earlier in &group.rules {
                conflict::check(&table.rules[earlier], rule)?;
            }
            group.add(index, rule);
        }
        Ok(table)
    }

    /// The rules, in order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether any rule is for `host`: what the resolver in the bottle answers by.
    pub fn knows(&self, host: &Host) -> bool {
        self.group(host).is_some()
    }

    /// The first rule of those that decide about `host`.
    pub fn deciding(&self, host: &Host) -> Option<&Rule> {
        self.group(host)?.rules(&self.rules).next()
    }

    /// What happens to a connection to `host` and `port`.
    pub fn reach(&self, host: &Host, port: u16) -> Reach<'_> {
        let Some(group) = self.group(host) else { return Reach::Refuse(refused::host(host)) };
        let allows = |transport| group.rules(&self.rules).find(|rule| rule.route.allows_port(transport, port));
        let (tls, plain) = (allows(Transport::Tls), allows(Transport::Plain));
        match (tls, plain) {
            // Rules of one pattern agree on what happens to TLS.
            (Some(rule), _) => match rule.route.tls {
                TlsMode::Intercept => Reach::Intercept(rule),
                TlsMode::Passthrough => Reach::Passthrough(rule),
            },
            // Threat: a tunnel to port 80 that is passed unopened would carry anything; TLS has no business there.
            (None, Some(rule)) => Reach::Intercept(rule),
            (None, None) => Reach::Refuse(refused::port(host, port, group.rules(&self.rules))),
        }
    }

    /// Judges one request.
    pub fn judge(&self, asked: &Asked<'_>) -> Verdict<'_> {
        let Some(group) = self.group(asked.host) else { return Verdict::Refuse(refused::host(asked.host)) };
        match group.choose(&self.rules, asked) {
            Choice::Rule(rule) if endangers_credential(rule, asked) => Verdict::Refuse(refused::plaintext(asked, rule)),
            Choice::Rule(rule) => Verdict::Allow(rule),
            Choice::NoPort => Verdict::Refuse(refused::port(asked.host, asked.port, group.rules(&self.rules))),
            Choice::None => Verdict::Refuse(refused::request(asked, group.rules(&self.rules))),
            Choice::Unsure => Verdict::Refuse(refused::path(asked, group.rules(&self.rules))),
        }
    }

    /// The rules of the most specific pattern for `host`. Costs one look-up, and one more for each label where there are
    /// wildcards.
    fn group(&self, host: &Host) -> Option<&Group> {
        if let Some(group) = self.exact.get(host) {
            return Some(group);
        }
        match host {
            Host::Name(name) if !self.below.is_empty() => {
                let suffixes = name.match_indices('.').filter_map(|(at, dot)| name.get(at + dot.len()..));
                suffixes.filter_map(|suffix| self.below.get(suffix)).next()
            }
            // No address lies below a name.
            Host::Name(_) | Host::Address(_) => None,
        }
    }
}

/// Whether the rule would put a credential into a request that travels unprotected. To this very machine it may: a service on
/// loopback that the person named is as near as the credential itself.
fn endangers_credential(rule: &Rule, asked: &Asked<'_>) -> bool {
    let to_ourselves = rule.route.dial.is_some_and(|dial| dial.ip().is_loopback());
    rule.route.auth.is_some() && asked.transport == Transport::Plain && !to_ourselves
}

#[cfg(test)]
mod tests;
