use std::net::SocketAddr;

use crate::{HostPattern, Origin, Rule};

/// Two rules for one host pattern that cannot both hold. Both places are named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableConflict {
    /// What is decided before a request is seen must be the same in all of them.
    #[error("the routes to {host} of {first} and {second} disagree about {what}")]
    Disagree {
        /// The hosts.
        host: HostPattern,
        /// What they say, for people: `` `tls`: intercept and passthrough ``.
        what: String,
        /// The earlier rule.
        first: Origin,
        /// The later rule.
        second: Origin,
    },
    /// The earlier rule takes every request that the later one is for, so that what the later one does never happens.
    #[error("the route to {host} of {first} takes every request before that of {second}, whose {setting} would never apply")]
    Covered {
        /// The hosts.
        host: HostPattern,
        /// What would silently be gone: `` `auth` `` or `` `dlp` ``.
        setting: &'static str,
        /// The earlier rule.
        first: Origin,
        /// The later rule.
        second: Origin,
    },
}

impl TableConflict {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Disagree { .. } => "say the same in both, or keep one of them",
            Self::Covered { .. } => {
                "choose the bottles in the other order, narrow the earlier route with `matches`, or keep one of them"
            }
        }
    }

    /// The earlier and the later rule.
    pub fn origins(&self) -> [&Origin; 2] {
        match self {
            Self::Disagree { first, second, .. } | Self::Covered { first, second, .. } => [first, second],
        }
    }
}

/// Checks two rules for one pattern, the earlier one first.
pub(super) fn check(earlier: &Rule, later: &Rule) -> Result<(), Box<TableConflict>> {
    let (a, b) = (&earlier.route, &later.route);
    let dial =
        |dial: Option<SocketAddr>| dial.map_or_else(|| "the address that its name has".to_owned(), |dial| dial.to_string());
    let disagreement = if a.tls != b.tls {
        Some(format!("`tls`: {} and {}", a.tls.as_str(), b.tls.as_str()))
    } else if a.dial != b.dial {
        Some(format!("`dial`: {} and {}", dial(a.dial), dial(b.dial)))
    } else if earlier.account != later.account {
        Some("whose credentials they let pass".to_owned())
    } else {
        None
    };
    let (host, first, second) = (|| a.host.clone(), || earlier.origin.clone(), || later.origin.clone());
    if let Some(what) = disagreement {
        return Err(Box::new(TableConflict::Disagree { host: host(), what, first: first(), second: second() }));
    }
    let lost = [("`auth`", b.auth.is_some() && a.auth != b.auth), ("`dlp`", b.dlp.is_some() && a.dlp != b.dlp)];
    match lost.into_iter().find(|(_, lost)| *lost && covers(earlier, later)) {
        Some((setting, _)) => Err(Box::new(TableConflict::Covered { host: host(), setting, first: first(), second: second() })),
        None => Ok(()),
    }
}

/// Whether every request that `later` is for meets `earlier` first.
fn covers(earlier: &Rule, later: &Rule) -> bool {
    let (a, b) = (&earlier.route, &later.route);
    let ports = match (a.ports.as_slice(), b.ports.as_slice()) {
        ([], []) => true,
        ([], _) | (_, []) => false,
        (a, b) => b.iter().all(|port| a.contains(port)),
    };
    let matches = a.matches.is_empty() || !b.matches.is_empty() && b.matches.iter().all(|own| a.matches.contains(own));
    ports && matches
}
