use std::fmt;

use policy::{RequestMatch, Rule, Table};
use serde::Serialize;

use crate::records::Recent;

/// What the agent is told of its policy. Never a value: not of a credential, nor where it is found, nor of a header.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    routes: Vec<RouteShown>,
    /// The latest refusals, oldest first.
    refused: Vec<Recent>,
}

#[derive(Debug, Serialize)]
struct RouteShown {
    host: String,
    /// Empty: 443 with TLS, 80 without.
    ports: Vec<u16>,
    /// `intercept` or `passthrough`.
    tls: &'static str,
    /// Whether a credential is put in outside the bottle.
    credential: bool,
    /// Empty: every request.
    requests: Vec<RequestShown>,
}

#[derive(Debug, Serialize)]
struct RequestShown {
    /// Such as `prefix /api`; empty: any.
    paths: Vec<String>,
    /// Empty: any.
    methods: Vec<String>,
    /// Names of headers that must be there.
    headers: Vec<String>,
}

impl Page {
    pub(super) fn of(table: &Table, refused: Vec<Recent>) -> Self {
        Self { routes: table.rules().iter().map(route).collect(), refused }
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

fn route(rule: &Rule) -> RouteShown {
    let route = &rule.route;
    RouteShown {
        host: route.host.to_string(),
        ports: route.ports.clone(),
        tls: route.tls.as_str(),
        credential: route.auth.is_some(),
        requests: route.matches.iter().map(request).collect(),
    }
}

fn request(allowed: &RequestMatch) -> RequestShown {
    RequestShown {
        paths: allowed.paths.iter().map(ToString::to_string).collect(),
        methods: allowed.methods.iter().map(ToString::to_string).collect(),
        headers: allowed.headers.iter().map(|header| header.name.to_string()).collect(),
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "What this bottle may reach. Everything else is refused, whatever way it is tried; the person decides.\n")?;
        if self.routes.is_empty() {
            writeln!(f, "nothing")?;
        }
        for route in &self.routes {
            route.fmt(f)?;
        }
        if !self.refused.is_empty() {
            writeln!(f, "\nRefused lately, oldest first:\n")?;
        }
        for Recent { code, asked, message, hint } in &self.refused {
            writeln!(f, "{code}  {asked}\n    {message}\n    hint: {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Display for RouteShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        if !self.ports.is_empty() {
            write!(f, "  ports {}", list(&self.ports))?;
        }
        if self.tls == "passthrough" {
            f.write_str("  TLS is passed on unopened")?;
        }
        if self.credential {
            f.write_str("  a credential is put in outside the bottle")?;
        }
        writeln!(f)?;
        self.requests.iter().try_for_each(|request| writeln!(f, "    {request}"))
    }
}

impl fmt::Display for RequestShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = if self.methods.is_empty() { "any method".to_owned() } else { list(&self.methods) };
        let paths = if self.paths.is_empty() { "any path".to_owned() } else { list(&self.paths) };
        write!(f, "{methods}: {paths}")?;
        if self.headers.is_empty() { Ok(()) } else { write!(f, ", with {}", list(&self.headers)) }
    }
}

fn list(items: &[impl fmt::Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use policy::{Account, Auth, HeaderMatch, HeaderName, HeaderValue, HostPattern, Method, Origin, RequestMatch};
    use policy::{Route, Rule, Scheme, Table, TokenRef};

    use super::{Page, Recent};

    #[test]
    fn tells_what_is_allowed_and_refused_and_no_value() {
        let mut route = Route::to(HostPattern::parse("*.example.org").unwrap());
        route.auth = Some(Auth::Scheme { scheme: Scheme::Bearer, token_ref: TokenRef::parse("CANARY_VARIABLE").unwrap() });
        route.matches = vec![RequestMatch {
            methods: vec![Method::parse("GET").unwrap()],
            headers: vec![HeaderMatch {
                name: HeaderName::parse("x-version").unwrap(),
                values: vec![HeaderValue::parse("canary").unwrap()],
            }],
            ..RequestMatch::default()
        }];
        let file = "/home/canary/bottles/a.md".into();
        let rule = Rule { route, origin: Origin::File { file, line: 3 }, account: Account::Any };
        let recent = Recent { code: "egress.host", asked: "GET evil.example".into(), message: "no".into(), hint: "stop".into() };
        let page = Page::of(&Table::new(vec![rule]).unwrap(), vec![recent]);
        let (text, json) = (page.to_string(), page.json());
        assert!(
            text.contains("*.example.org  a credential is put in outside the bottle\n    GET: any path, with x-version\n"),
            "{text}"
        );
        assert!(text.contains("egress.host  GET evil.example\n    no\n    hint: stop\n"), "{text}");
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&value["routes"][0]["credential"], &value["refused"][0]["code"]), (&true.into(), &"egress.host".into()));
        assert!(!(text + &json).to_lowercase().contains("canary"));
    }
}
