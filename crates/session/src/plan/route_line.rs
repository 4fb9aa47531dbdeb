use std::fmt;

use policy::{Route, TlsMode};
use serde::Serialize;

/// One route, and what it narrows. Names, never values; every text is safe to show on a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteLine {
    /// The hosts.
    pub host: String,
    /// How a credential is put in: `Bearer`, or a header.
    pub auth: Option<String>,
    /// Where it is found: `variable API_TOKEN`.
    pub credential: Option<String>,
    /// `intercept`, or `passthrough`: then only the host is checked.
    pub tls: &'static str,
    /// Empty: 443 with TLS, 80 without.
    pub ports: Vec<u16>,
    /// What is connected to instead of looking the host up.
    pub dial: Option<String>,
    /// Private addresses that the host may have.
    pub addresses: Vec<String>,
    /// The requests that are allowed: `GET /v1 and below, with x-version`; empty: all.
    pub requests: Vec<String>,
}

impl RouteLine {
    pub(super) fn of(route: &Route) -> Self {
        Self {
            host: route.host.to_string(),
            auth: route.auth.as_ref().map(ToString::to_string),
            credential: route.auth.as_ref().map(|auth| auth.token_ref().to_string()),
            tls: route.tls.as_str(),
            ports: route.ports.clone(),
            dial: route.dial.map(|dial| dial.to_string()),
            addresses: route.addresses.iter().map(ToString::to_string).collect(),
            requests: route.matches.iter().map(ToString::to_string).collect(),
        }
    }
}

impl fmt::Display for RouteLine {
    /// `api.example.org [auth:Bearer, variable T], port 8443, connects to 127.0.0.1:9443`; not its requests.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        if let (Some(auth), Some(credential)) = (&self.auth, &self.credential) {
            write!(f, " [auth:{auth}, {credential}]")?;
        }
        match self.ports.as_slice() {
            [] => {}
            [port] => write!(f, ", port {port}")?,
            ports => write!(f, ", ports {}", ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "))?,
        }
        if let Some(dial) = &self.dial {
            write!(f, ", connects to {dial}")?;
        }
        if !self.addresses.is_empty() {
            write!(f, ", also at private {}", self.addresses.join(" and "))?;
        }
        if self.tls == TlsMode::Passthrough.as_str() {
            f.write_str(", TLS passed on unopened: requests are not seen")?;
        }
        Ok(())
    }
}
