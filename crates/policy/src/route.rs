use std::net::SocketAddr;

use crate::{Auth, Cidr, Dlp, HostPattern, RequestMatch, TlsMode, Transport};

/// One way out: hosts, and what may be asked of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The hosts.
    pub host: HostPattern,
    /// Requests that are allowed, any one of them; empty: all.
    pub matches: Vec<RequestMatch>,
    /// The credential that is put in.
    pub auth: Option<Auth>,
    /// What happens to TLS.
    pub tls: TlsMode,
    /// Addresses that the host may have although they are private.
    pub addresses: Vec<Cidr>,
    /// Ports that may be reached; empty: 443 by TLS and 80 without.
    pub ports: Vec<u16>,
    /// Where to connect instead of looking the host up: the person's word, so that private and loopback addresses are
    /// allowed here. The host's certificate is checked all the same.
    pub dial: Option<SocketAddr>,
    /// Scanning; `None` where the manifest says nothing.
    pub dlp: Option<Dlp>,
}

/// Settings of one route that cannot all hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RouteConflict {
    /// Passed-through TLS is not opened, so this setting would do nothing.
    #[error("`tls: passthrough` leaves requests unopened, so `{0}` could not be applied: remove one of the two")]
    Unopened(&'static str),
    /// What is dialled is said, so nothing is looked up whose addresses could be allowed.
    #[error("`dial` names the address that is connected to, so `addresses` would do nothing: remove one of the two")]
    Dialled,
}

impl Route {
    /// A route to `host` with nothing else said.
    pub fn to(host: HostPattern) -> Self {
        Self {
            host,
            matches: Vec::new(),
            auth: None,
            tls: TlsMode::default(),
            addresses: Vec::new(),
            ports: Vec::new(),
            dial: None,
            dlp: None,
        }
    }

    /// Every combination of settings that would silently do nothing or remove a control.
    pub fn conflicts(&self) -> Vec<RouteConflict> {
        let unopened = [("matches", !self.matches.is_empty()), ("auth", self.auth.is_some()), ("dlp", self.dlp.is_some())];
        let passthrough = self.tls == TlsMode::Passthrough;
        let unopened = unopened.into_iter().filter(|(_, set)| passthrough && *set).map(|(name, _)| RouteConflict::Unopened(name));
        let dialled = (self.dial.is_some() && !self.addresses.is_empty()).then_some(RouteConflict::Dialled);
        unopened.chain(dialled).collect()
    }

    /// Whether a connection to `port` may carry `transport` by this route.
    pub fn allows_port(&self, transport: Transport, port: u16) -> bool {
        if self.ports.is_empty() { port == transport.default_port() } else { self.ports.contains(&port) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Route, RouteConflict};
    use crate::{Auth, Cidr, HostPattern, Scheme, TlsMode, TokenRef, Transport, parse_dial};

    #[test]
    fn passthrough_cannot_inject_or_match() {
        let mut route = Route::to(HostPattern::parse("*.example.org").unwrap());
        assert_eq!(route.conflicts(), []);
        route.auth = Some(Auth::Scheme { scheme: Scheme::Bearer, token_ref: TokenRef::parse("T").unwrap() });
        route.tls = TlsMode::Passthrough;
        assert_eq!(route.conflicts(), [RouteConflict::Unopened("auth")]);
    }

    #[test]
    fn dialled_addresses_are_not_looked_up() {
        let mut route = Route::to(HostPattern::parse("example.org").unwrap());
        route.dial = parse_dial("127.0.0.1:1").ok();
        assert_eq!(route.conflicts(), []);
        route.addresses = vec![Cidr::parse("127.0.0.1").unwrap()];
        assert_eq!(route.conflicts(), [RouteConflict::Dialled]);
    }

    #[test]
    fn ports() {
        let mut route = Route::to(HostPattern::parse("example.org").unwrap());
        let allowed = |route: &Route| {
            let all = [(Transport::Tls, 443), (Transport::Tls, 80), (Transport::Plain, 80), (Transport::Plain, 443)];
            all.map(|(transport, port)| route.allows_port(transport, port))
        };
        assert_eq!(allowed(&route), [true, false, true, false]);
        route.ports = vec![443];
        assert_eq!(allowed(&route), [true, false, false, true]);
    }
}
