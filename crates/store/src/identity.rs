use std::fmt;

/// The name of one launch: the label verbatim, or `<agent>-<5 random base36 characters>`. As a bottle's name it is a DNS
/// label (RFC 1035 §2.3.4): `[a-z0-9][a-z0-9-]*`, at most 63 bytes; so it can never be `..`, hidden or a path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(String);

/// Why there is no identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The text cannot be one.
    #[error("bad session name {0:?}: use 1 to 63 of a-z, 0-9 and '-', and begin with a letter or digit")]
    Malformed(String),
    /// The system gave no randomness.
    #[error("making a session name: the system gives no random numbers: {0}")]
    Random(String),
}

impl Identity {
    const MAX: usize = 63;
    const SUFFIX: usize = 5;

    /// Parses a name given by the person.
    ///
    /// # Errors
    /// When it is no DNS label.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let ok = (1..=Self::MAX).contains(&text.len()) && text.bytes().all(legal) && !text.starts_with('-');
        if ok { Ok(Self(text.to_owned())) } else { Err(IdentityError::Malformed(text.chars().take(80).collect())) }
    }

    /// Makes a new one for `agent`: 36^5 (60 million) names, so that parallel starts do not meet.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn random(agent: &str) -> Result<Self, IdentityError> {
        loop {
            let mut bytes = [0u8; 16];
            getrandom::fill(&mut bytes).map_err(|error| IdentityError::Random(error.to_string()))?;
            // 252 is the largest multiple of 36 in a byte: anything above it would make some characters likelier.
            let fair = bytes.into_iter().filter(|byte| *byte < 252);
            let suffix: String = fair.take(Self::SUFFIX).map(|byte| char::from(BASE36[usize::from(byte % 36)])).collect();
            if suffix.len() == Self::SUFFIX {
                return Ok(Self(format!("{}-{suffix}", slug(agent))));
            }
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The agent's name as the beginning of a DNS label.
fn slug(agent: &str) -> String {
    let lower = agent.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let mut slug: String = lower.take(Identity::MAX - Identity::SUFFIX - 1).collect();
    slug = slug.trim_matches('-').to_owned();
    if slug.is_empty() { "bottle".to_owned() } else { slug }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Identity;

    #[test]
    fn is_the_agents_slug_and_five_base36_characters() {
        for (agent, slug) in [("fixer", "fixer"), ("--", "bottle"), ("A_b", "a-b"), (&"x".repeat(90), &"x".repeat(57))] {
            let identity = Identity::random(agent).unwrap();
            let suffix = identity.as_str().strip_prefix(slug).and_then(|rest| rest.strip_prefix('-')).unwrap();
            assert_eq!(suffix.len(), 5, "{identity}");
            assert_eq!(Identity::parse(identity.as_str()).unwrap(), identity);
        }
    }

    #[test]
    fn does_not_repeat() {
        let made: BTreeSet<_> = (0..200).map(|_| Identity::random("a").unwrap()).collect();
        assert!(made.len() > 198, "200 names out of 60 million met {} times", 200 - made.len());
    }

    #[test]
    fn refuses_what_is_a_path_or_hidden() {
        for bad in ["", ".", "..", "a/b", ".x", "-x", "A", "a b", "a\n", &"x".repeat(64)] {
            assert!(Identity::parse(bad).is_err(), "{bad:?}");
        }
    }
}
