use std::fmt;
use std::net::IpAddr;

use http::Uri;
use http::uri::{InvalidUri, PathAndQuery};
use policy::{Host, Transport};

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The host.
    pub host: Host,
    /// The port.
    pub port: u16,
    /// Whether TLS protects it on its way.
    pub transport: Transport,
}

impl Target {
    /// The authority as it stands in `Host` and `:authority` (RFC 9110 §4.2): the port only where it is not the
    /// transport's own, IPv6 in brackets.
    pub fn authority(&self) -> String {
        if self.port == self.transport.default_port() { self.bracketed() } else { self.to_string() }
    }

    fn bracketed(&self) -> String {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => format!("[{address}]"),
            Host::Address(IpAddr::V4(_)) | Host::Name(_) => self.host.to_string(),
        }
    }
}

impl fmt::Display for Target {
    /// `api.example.org:443`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.bracketed(), self.port)
    }
}

/// Path and query as a request is written with them: they begin with `/` (RFC 9112 §3.2.1, RFC 9113 §8.3.1) or are `*`. A URL that has
/// no path, or a query alone, is one for `/`, which the library keeps as nothing: written so, its target would be empty.
pub(super) fn path_and_query(uri: &Uri) -> Result<PathAndQuery, InvalidUri> {
    match uri.path_and_query() {
        Some(path) if path.as_str().starts_with('?') => format!("/{}", path.as_str()).parse(),
        Some(path) if path.as_str() != "/" => Ok(path.clone()),
        Some(_) | None => Ok(PathAndQuery::from_static("/")),
    }
}

#[cfg(test)]
mod tests {
    use policy::{Host, Transport};

    use super::{Target, path_and_query};

    #[test]
    fn no_target_is_written_empty() {
        for (uri, path) in [
            ("http://a.example", "/"),
            ("http://a.example/", "/"),
            ("http://a.example#x", "/"),
            ("http://a.example?x", "/?x"),
            ("http://a.example?x#y", "/?x"),
            ("http://a.example/a%2fb?x", "/a%2fb?x"),
            ("a.example", "/"),
            ("*", "*"),
        ] {
            let target = path_and_query(&uri.parse().unwrap()).unwrap();
            assert_eq!((target.as_str(), http::Uri::from(target.clone()).to_string().as_str()), (path, path), "{uri}");
        }
    }

    #[test]
    fn the_authority_names_a_port_only_where_it_must() {
        for (host, port, transport, authority) in [
            ("example.org", 443, Transport::Tls, "example.org"),
            ("example.org", 443, Transport::Plain, "example.org:443"),
            ("example.org", 8443, Transport::Tls, "example.org:8443"),
            ("192.0.2.7", 80, Transport::Plain, "192.0.2.7"),
            ("2001:db8::1", 443, Transport::Tls, "[2001:db8::1]"),
            ("2001:db8::1", 1, Transport::Tls, "[2001:db8::1]:1"),
        ] {
            let target = Target { host: Host::parse(host).unwrap(), port, transport };
            assert_eq!(target.authority(), authority);
        }
    }
}
