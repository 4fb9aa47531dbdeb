use std::fmt;

use crate::Host;

/// What a request asks for, in the words that rules are written in. Made by the egress service of a request whose names agree.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Whether TLS protected it on its way out of the bottle.
    pub transport: Transport,
    /// The host.
    pub host: &'a Host,
    /// The port.
    pub port: u16,
    /// The method as it was sent.
    pub method: &'a str,
    /// The path as it was sent, without query; begins with `/`, or is `*`.
    pub path: &'a str,
    /// The headers.
    pub headers: &'a dyn Headers,
}

/// How a request travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `http://`
    Plain,
    /// `https://`
    Tls,
}

/// The headers of a request.
pub trait Headers {
    /// Every value of the header with this lower-case name.
    fn values<'a>(&'a self, name: &str) -> Box<dyn Iterator<Item = &'a [u8]> + 'a>;
}

/// Headers by which frameworks take another method than the request's own.
pub const OVERRIDING: [&str; 9] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-method",
    "x-http-verb",
    "x-wp-method",
    "x-forwarded-method",
    "x-original-method",
    "x-rewrite-method",
];

impl Asked<'_> {
    /// The methods that a server may take the request for besides its own. Threat: frameworks obey a header, so that a GET or POST
    /// that is allowed does what a DELETE would.
    pub(crate) fn overriding(&self) -> impl Iterator<Item = String> {
        let values = OVERRIDING.iter().flat_map(|name| self.headers.values(name));
        values.map(|value| String::from_utf8_lossy(value.trim_ascii()).to_ascii_uppercase())
    }
}

impl Transport {
    /// The port that is meant where none is named.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Plain => 80,
            Self::Tls => 443,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "http",
            Self::Tls => "https",
        })
    }
}
