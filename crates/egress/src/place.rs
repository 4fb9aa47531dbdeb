use std::fmt;
use std::net::IpAddr;

use policy::{Host, HostError, Shown, Transport};

/// Where something wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) transport: Transport,
    pub(crate) named: Named,
    pub(crate) port: u16,
    /// As `Host` and `:authority` write it: the port where it is not the transport's own.
    pub(crate) authority: String,
}

/// Whom a name names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// A host of the world.
    Host(Host),
    /// One of the bottle's own services, such as `policy.bottle.internal`.
    Reserved(String),
}

/// A host and, where it was written, a port: `example.org:8443` (RFC 9110 §7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authority {
    pub(crate) named: Named,
    pub(crate) port: Option<u16>,
}

/// Why a text names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthorityError {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("`{shown}` has no port between 1 and 65535 after its colon", shown = Shown(.0))]
    Port(String),
}

impl Place {
    pub(crate) fn new(transport: Transport, named: Named, port: u16) -> Self {
        let host = match &named {
            Named::Host(Host::Address(IpAddr::V6(address))) => format!("[{address}]"),
            Named::Host(host) => host.to_string(),
            Named::Reserved(name) => name.clone(),
        };
        let authority = if port == transport.default_port() { host } else { format!("{host}:{port}") };
        Self { transport, named, port, authority }
    }

    /// Whether `text` names this place, and nothing else.
    pub(crate) fn is(&self, text: &str) -> bool {
        text == self.authority
            || Authority::parse(text).is_ok_and(|authority| {
                authority.named == self.named && authority.port.unwrap_or(self.transport.default_port()) == self.port
            })
    }
}

impl fmt::Display for Place {
    /// `https://example.org:8443`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.transport, self.authority)
    }
}

impl Named {
    /// A host, or one of the bottle's own names.
    pub(crate) fn parse(text: &str) -> Result<Self, HostError> {
        match Host::parse(text) {
            Ok(host) => Ok(Self::Host(host)),
            Err(HostError::Reserved(_)) => Ok(Self::Reserved(text.to_ascii_lowercase())),
            Err(error) => Err(error),
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => host.fmt(f),
            Self::Reserved(name) => f.write_str(name),
        }
    }
}

impl Authority {
    /// Parses `host` or `host:port`; an IPv6 address stands in brackets.
    ///
    /// # Errors
    /// When it is anything else. Threat: user information (`allowed@evil`), two ports, white space.
    pub(crate) fn parse(text: &str) -> Result<Self, AuthorityError> {
        let (host, port) = match text.split_once(']') {
            Some((address, rest)) => {
                (&text[..=address.len()], rest.strip_prefix(':').or(if rest.is_empty() { None } else { Some("") }))
            }
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = match port {
            None => None,
            Some(digits) => Some(parse_port(digits).ok_or_else(|| AuthorityError::Port(text.to_owned()))?),
        };
        Ok(Self { named: Named::parse(host)?, port })
    }
}

/// Digits alone: `u16::from_str` would take a `+`.
fn parse_port(digits: &str) -> Option<u16> {
    let plain = (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use policy::{Host, Transport};

    use super::{Authority, Named, Place};

    #[test]
    fn authorities_are_a_host_and_perhaps_a_port() {
        for (text, host, port) in [
            ("example.org", "example.org", None),
            ("EXAMPLE.org:8443", "example.org", Some(8443)),
            ("192.0.2.7:80", "192.0.2.7", Some(80)),
            ("[2001:db8::1]:443", "2001:db8::1", Some(443)),
            ("[2001:db8::1]", "2001:db8::1", None),
            ("policy.bottle.internal", "policy.bottle.internal", None),
        ] {
            let authority = Authority::parse(text).unwrap();
            assert_eq!((authority.named.to_string().as_str(), authority.port), (host, port), "{text}");
        }
        for bad in [
            "",
            ":443",
            "a:",
            "a:0",
            "a:65536",
            "a:+80",
            "a:80:80",
            "a:8 0",
            "u@a",
            "u:p@a",
            "[::1",
            "[::1]x",
            "[::1]:",
            "::1",
            "a/b",
            "a.",
            "2130706433",
            "a\0",
            "a b",
            "*.a.org",
        ] {
            assert!(Authority::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_place_is_named_with_or_without_its_own_port() {
        let place = Place::new(Transport::Tls, Named::Host(Host::parse("a.example").unwrap()), 443);
        assert_eq!(place.to_string(), "https://a.example");
        assert!(place.is("a.example") && place.is("A.example:443"));
        assert!(!place.is("a.example:80") && !place.is("b.example") && !place.is("a.example."));
        let place = Place::new(Transport::Plain, Named::Host(Host::parse("[::2]").unwrap()), 8080);
        assert_eq!(place.to_string(), "http://[::2]:8080");
        assert!(place.is("[::2]:8080") && !place.is("[::2]"));
    }
}
