use crate::Shown;

/// What is scanned for on a route, and what a finding does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dlp {
    /// Detectors for what leaves.
    pub outbound: Detectors<OutboundDetector>,
    /// Detectors for what comes in.
    pub inbound: Detectors<InboundDetector>,
    /// What a finding in what leaves does.
    pub on_match: OnMatch,
}

/// Which detectors run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Detectors<D> {
    /// Those that run where the manifest says nothing.
    #[default]
    Default,
    /// None.
    Off,
    /// These alone. Not empty, each once.
    Only(Vec<D>),
}

/// A detector for what leaves the bottle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboundDetector {
    /// Shapes of known credentials.
    TokenPatterns,
    /// The very secrets of this bottle, in any encoding.
    KnownSecrets,
    /// Text of unusually high entropy; warns alone.
    Entropy,
}

/// A detector for what comes into the bottle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboundDetector {
    /// Phrases of prompt injection.
    NaiveInjectionDetection,
}

/// What a finding does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnMatch {
    /// Holds the request and asks the person.
    #[default]
    Supervise,
    /// Replaces what was found and sends the rest.
    Redact,
    /// Refuses the request.
    Block,
}

/// Why a text names nothing of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not one of {known}", shown = Shown(.text))]
pub struct DetectorError {
    /// The text.
    pub text: String,
    /// The names that exist, for people.
    pub known: &'static str,
}

impl OutboundDetector {
    /// All outbound detectors.
    pub const ALL: [Self; 3] = [Self::TokenPatterns, Self::KnownSecrets, Self::Entropy];

    /// As manifests write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TokenPatterns => "token_patterns",
            Self::KnownSecrets => "known_secrets",
            Self::Entropy => "entropy",
        }
    }

    /// The detector with this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn parse(text: &str) -> Result<Self, DetectorError> {
        let found = Self::ALL.into_iter().find(|detector| detector.as_str() == text);
        found.ok_or_else(|| DetectorError { text: text.to_owned(), known: "`token_patterns`, `known_secrets`, `entropy`" })
    }
}

impl InboundDetector {
    /// All inbound detectors.
    pub const ALL: [Self; 1] = [Self::NaiveInjectionDetection];

    /// As manifests write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NaiveInjectionDetection => "naive_injection_detection",
        }
    }

    /// The detector with this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn parse(text: &str) -> Result<Self, DetectorError> {
        let found = Self::ALL.into_iter().find(|detector| detector.as_str() == text);
        found.ok_or_else(|| DetectorError { text: text.to_owned(), known: "`naive_injection_detection`" })
    }
}

impl OnMatch {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Supervise, Self::Redact, Self::Block];

    /// As manifests write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Supervise => "supervise",
            Self::Redact => "redact",
            Self::Block => "block",
        }
    }

    /// The one with this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn parse(text: &str) -> Result<Self, DetectorError> {
        let found = Self::ALL.into_iter().find(|on_match| on_match.as_str() == text);
        found.ok_or_else(|| DetectorError { text: text.to_owned(), known: "`supervise`, `redact`, `block`" })
    }
}

#[cfg(test)]
mod tests {
    use super::{InboundDetector, OnMatch, OutboundDetector};

    #[test]
    fn names_go_both_ways() {
        assert!(OutboundDetector::ALL.into_iter().all(|d| OutboundDetector::parse(d.as_str()) == Ok(d)));
        assert!(InboundDetector::ALL.into_iter().all(|d| InboundDetector::parse(d.as_str()) == Ok(d)));
        assert!(OnMatch::ALL.into_iter().all(|d| OnMatch::parse(d.as_str()) == Ok(d)));
        assert!(OutboundDetector::parse("tokens").unwrap_err().to_string().contains("known_secrets"));
    }
}
