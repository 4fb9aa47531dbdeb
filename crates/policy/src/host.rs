use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Shown;

/// A host that can be reached: a DNS name in lower case without its trailing dot (RFC 1035 §2.3.1, and `_` as in the wild),
/// or an IP address in its one canonical spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A DNS name: at most 253 bytes, labels of 1 to 63.
    Name(String),
    /// An IP address, written as RFC 5952 or dotted decimal.
    Address(IpAddr),
}

/// Why a text is no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Nothing there.
    #[error("a host is empty: write a name such as `api.example.org`")]
    Empty,
    /// It carries more than a host.
    #[error("`{shown}` is more than a host: it holds {what}; write the host alone, such as `api.example.org`", shown = Shown(.text))]
    MoreThanHost {
        /// The text.
        text: String,
        /// What else it holds.
        what: &'static str,
    },
    /// A star where none may stand.
    #[error("`{shown}` holds a `*` that means nothing: `*.example.org` stands for all names below example.org, and nothing wider or else exists", shown = Shown(.0))]
    Star(String),
    /// Letters outside ASCII, whose look-alikes nobody can tell apart.
    #[error("`{shown}` has letters outside ASCII: write the name's punycode form (`xn--…`), which has no look-alikes", shown = Shown(.0))]
    NotAscii(String),
    /// The trailing dot of a fully qualified name.
    #[error("`{shown}` ends in a dot: write the name without it", shown = Shown(.0))]
    TrailingDot(String),
    /// A number that some resolver would read as an address.
    #[error("`{shown}` looks like an IP address in an unusual spelling: write it as four decimal numbers, such as `192.0.2.7`", shown = Shown(.0))]
    OddAddress(String),
    /// A label or the name breaks the rules of DNS.
    #[error("`{shown}` is not a host name: {why}", shown = Shown(.text))]
    BadLabel {
        /// The text.
        text: String,
        /// The rule.
        why: &'static str,
    },
    /// A name that bot-bottle keeps for itself inside every bottle.
    #[error("`{shown}` is reserved: names below `bottle.internal` are bot-bottle's own services inside the bottle", shown = Shown(.0))]
    Reserved(String),
}

impl Host {
    /// Parses a host, folding its case.
    ///
    /// # Errors
    /// When the text is more or less than a host name or a canonically written address.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let owned = || text.to_owned();
        if text.is_empty() {
            return Err(HostError::Empty);
        }
        if let Some(address) = address(text) {
            return Ok(Self::Address(address));
        }
        if let Some(what) = beyond_host(text) {
            return Err(HostError::MoreThanHost { text: owned(), what });
        }
        if text.contains('*') {
            return Err(HostError::Star(owned()));
        }
        if !text.is_ascii() {
            return Err(HostError::NotAscii(owned()));
        }
        if text.ends_with('.') {
            return Err(HostError::TrailingDot(owned()));
        }
        let name = text.to_ascii_lowercase();
        if let Some(why) = broken_rule(&name) {
            return Err(HostError::BadLabel { text: owned(), why });
        }
        // Threat: inet_aton reads `0x7f.1`, `017700000001` and `2130706433` as 127.0.0.1. A name never ends in a number
        // (WHATWG URL, "ends in a number").
        if ends_in_number(&name) {
            return Err(HostError::OddAddress(owned()));
        }
        if name == "bottle.internal" || name.ends_with(".bottle.internal") {
            return Err(HostError::Reserved(owned()));
        }
        Ok(Self::Name(name))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

fn address(text: &str) -> Option<IpAddr> {
    // std's parsers take the canonical dotted form alone: no octal, no hex, no short forms.
    if let Ok(v4) = text.parse::<Ipv4Addr>() {
        return Some(IpAddr::V4(v4));
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    // An IPv4 address dressed as IPv6 is the same destination and must not be a second spelling of it.
    bare.parse::<Ipv6Addr>().ok().map(|v6| v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4))
}

fn beyond_host(text: &str) -> Option<&'static str> {
    let signs = [
        ("://", "a scheme"),
        ("@", "a user"),
        ("/", "a path"),
        ("\\", "a backslash"),
        ("?", "a query"),
        ("#", "a fragment"),
        (":", "a port"),
        ("%", "a percent sign"),
    ];
    if let Some((_, what)) = signs.iter().find(|(sign, _)| text.contains(sign)) {
        return Some(what);
    }
    text.chars().any(|c| c.is_whitespace() || c.is_control()).then_some("white space or a control character")
}

fn broken_rule(name: &str) -> Option<&'static str> {
    if name.len() > 253 {
        return Some("it is longer than 253 bytes");
    }
    for label in name.split('.') {
        if label.is_empty() {
            return Some("two dots stand next to each other, or one in front");
        }
        if label.len() > 63 {
            return Some("a part between dots is longer than 63 bytes");
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Some("a part between dots begins or ends with `-`");
        }
        if !label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return Some("it holds something other than letters, digits, `-`, `_` and dots");
        }
    }
    None
}

fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let hex = last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    hex || last.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Host, HostError};

    #[test]
    fn names_are_folded() {
        assert_eq!(Host::parse("API.Example.org"), Ok(Host::Name("api.example.org".into())));
        assert_eq!(Host::parse("_dmarc.example.org").map(|h| h.to_string()).as_deref(), Ok("_dmarc.example.org"));
    }

    #[test]
    fn addresses_have_one_spelling() {
        for (text, shown) in [("192.0.2.7", "192.0.2.7"), ("[2001:DB8::0:1]", "2001:db8::1"), ("::ffff:192.0.2.7", "192.0.2.7")] {
            assert_eq!(Host::parse(text).unwrap().to_string(), shown);
        }
        for odd in ["0x7f.1", "127.1", "2130706433", "017700000001", "1.2.3.04", "0x7f000001", "example.0x1"] {
            assert_eq!(Host::parse(odd), Err(HostError::OddAddress(odd.into())));
        }
    }

    #[test]
    fn more_than_a_host_is_named() {
        for (text, what) in [
            ("https://example.org", "a scheme"),
            ("allowed@evil.example", "a user"),
            ("example.org/api", "a path"),
            ("example.org:443", "a port"),
            ("example.org\\x", "a backslash"),
            ("exa mple.org", "white space or a control character"),
            ("example.org\0", "white space or a control character"),
            ("example.org%00", "a percent sign"),
        ] {
            assert_eq!(Host::parse(text), Err(HostError::MoreThanHost { text: text.into(), what }), "{text}");
        }
    }

    #[test]
    fn look_alikes_dots_and_reserved_names_are_refused() {
        assert!(matches!(Host::parse("exаmple.org"), Err(HostError::NotAscii(_))));
        assert!(matches!(Host::parse("example.org."), Err(HostError::TrailingDot(_))));
        assert!(matches!(Host::parse("git.bottle.internal"), Err(HostError::Reserved(_))));
        assert!(matches!(Host::parse("*"), Err(HostError::Star(_))));
        for bad in ["a..b", ".a", "-a.org", "a-.org", &"a".repeat(64), &"a.".repeat(130)] {
            assert!(Host::parse(bad).is_err(), "{bad}");
        }
    }
}
