use std::fmt;

use crate::{Host, HostError};

/// Which hosts a route is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostPattern {
    /// This host alone.
    Exact(Host),
    /// All names below this one (`*.example.org`), at any depth; not the name itself. Holds the part after `*.`.
    Below(String),
}

impl HostPattern {
    /// Parses `host` or `*.suffix`.
    ///
    /// # Errors
    /// As [`Host::parse`]; also when the suffix is an address or a whole top-level domain.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let Some(suffix) = text.strip_prefix("*.") else { return Host::parse(text).map(Self::Exact) };
        match Host::parse(suffix) {
            // `*.com` would let data out to anybody with five euros.
            Ok(Host::Name(name)) if !name.contains('.') => Err(HostError::BadLabel {
                text: text.to_owned(),
                why: "it stands for a whole top-level domain; name at least two parts after `*.`",
            }),
            Ok(Host::Name(name)) => Ok(Self::Below(name)),
            Ok(Host::Address(_)) => Err(HostError::BadLabel { text: text.to_owned(), why: "an address has no names below it" }),
            Err(HostError::Star(_)) => Err(HostError::Star(text.to_owned())),
            Err(other) => Err(other),
        }
    }

    /// Whether it is for `host`. Which of several patterns decides is the table's to say.
    pub fn is_for(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Exact(own), host) => own == host,
            (Self::Below(suffix), Host::Name(name)) => {
                name.strip_suffix(suffix.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            (Self::Below(_), Host::Address(_)) => false,
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(host) => write!(f, "{host}"),
            Self::Below(suffix) => write!(f, "*.{suffix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HostPattern;
    use crate::Host;

    #[test]
    fn exact_and_below() {
        for text in ["example.org", "*.example.org", "192.0.2.7"] {
            assert_eq!(HostPattern::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(HostPattern::parse("*.Example.ORG"), HostPattern::parse("*.example.org"));
        assert_ne!(HostPattern::parse("*.example.org"), HostPattern::parse("example.org"));
    }

    #[test]
    fn whole_labels_below_and_not_itself() {
        let is_for = |host| HostPattern::parse("*.example.org").unwrap().is_for(&Host::parse(host).unwrap());
        assert!(is_for("a.example.org") && is_for("a.b.example.org"));
        assert!(
            !is_for("example.org") && !is_for("evilexample.org") && !is_for("a.example.org.evil.net") && !is_for("192.0.2.1")
        );
    }

    #[test]
    fn nothing_wider() {
        for bad in ["*", "*.", "*.com", "*.*.org", "a.*.org", "*example.org", "*.10.0.0.1", "**.example.org", "*.bottle.internal"]
        {
            assert!(HostPattern::parse(bad).is_err(), "{bad}");
        }
    }
}
