use std::net::SocketAddr;

use crate::{Auth, Cidr, Dlp, HostPattern, RequestMatch, TlsMode};

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
        if self.tls == TlsMode::Intercept {
            return Vec::new();
        }
        let settings = [("matches", !self.matches.is_empty()), ("auth", self.auth.is_some()), ("dlp", self.dlp.is_some())];
        settings.into_iter().filter(|(_, set)| *set).map(|(name, _)| RouteConflict::Unopened(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Route, RouteConflict};
    use crate::{Auth, HostPattern, Scheme, TlsMode, TokenRef};

    #[test]
    fn passthrough_cannot_inject_or_match() {
        let mut route = Route::to(HostPattern::parse("*.example.org").unwrap());
        assert_eq!(route.conflicts(), []);
        route.auth = Some(Auth::Scheme { scheme: Scheme::Bearer, token_ref: TokenRef::parse("T").unwrap() });
        route.tls = TlsMode::Passthrough;
        assert_eq!(route.conflicts(), [RouteConflict::Unopened("auth")]);
    }
}
