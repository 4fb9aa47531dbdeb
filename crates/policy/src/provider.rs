use crate::{Account, Auth, Host, HostPattern, Origin, RequestMatch, Route, Rule, TlsMode};

/// A host of the agent's own provider, which every bottle of that provider may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderHost {
    /// The host.
    pub host: Host,
    /// The person's credential for it; `None` where the manifest names none.
    pub auth: Option<Auth>,
    /// What the agent's program needs of it, unless a manifest's route says otherwise; empty: all requests. For hosts where the
    /// credential opens more than the model.
    pub matches: Vec<RequestMatch>,
}

/// A setting of a manifest's route that a provider's host cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: the route to {host} sets `{setting}`, but {host} belongs to the {provider} template, {why}")]
pub struct ProviderConflict {
    /// The host.
    pub host: Host,
    /// The provider's template.
    pub provider: &'static str,
    /// `auth` or `tls`.
    pub setting: &'static str,
    /// What speaks against it.
    pub why: &'static str,
    /// Where the route was written.
    pub origin: Origin,
}

impl ProviderConflict {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self.setting {
            "auth" => {
                "remove it; name the credential with `auth_token`, `api_key` or `forward_host_credentials` of `agent_provider`"
            }
            _ => "remove it; `matches`, `ports`, `dial`, `addresses` and `dlp` may be set",
        }
    }
}

/// The rules of a bottle: those that its manifests `declared`, and those of its provider's hosts.
///
/// A declared route to a provider's host bounds it (`matches`, `ports`, `dial`, `addresses`, `dlp`); where it has no `matches`, or
/// there is none, the provider's own count. Either way the provider's credential is put in, and nobody else's passes.
///
/// # Errors
/// Every declared route to a provider's host that says what only the provider can.
pub fn provider_rules(
    provider: &'static str,
    hosts: &[ProviderHost],
    declared: Vec<Rule>,
) -> Result<Vec<Rule>, Vec<ProviderConflict>> {
    let own = |rule: &Rule| match &rule.route.host {
        HostPattern::Exact(host) => hosts.iter().find(|own| own.host == *host),
        HostPattern::Below(_) => None,
    };
    let conflicts: Vec<_> = declared
        .iter()
        .filter_map(|rule| own(rule).map(|host| (rule, host)))
        .flat_map(|(rule, host)| conflicts(provider, rule, host))
        .collect();
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    let plain = |host: &&ProviderHost| !declared.iter().any(|rule| own(rule) == Some(*host));
    let mut rules: Vec<Rule> = hosts
        .iter()
        .filter(plain)
        .map(|host| Rule {
            route: Route {
                auth: host.auth.clone(),
                matches: host.matches.clone(),
                ..Route::to(HostPattern::Exact(host.host.clone()))
            },
            origin: Origin::Provider(provider),
            account: Account::Ours,
        })
        .collect();
    rules.extend(declared.into_iter().map(|rule| match own(&rule).cloned() {
        None => rule,
        Some(host) => {
            let matches = if rule.route.matches.is_empty() { host.matches } else { rule.route.matches };
            let route = Route { auth: host.auth, matches, ..rule.route };
            Rule { route, origin: within(provider, rule.origin), account: Account::Ours }
        }
    }));
    Ok(rules)
}

fn conflicts(provider: &'static str, rule: &Rule, host: &ProviderHost) -> Vec<ProviderConflict> {
    let conflict =
        |setting, why| ProviderConflict { host: host.host.clone(), provider, setting, why, origin: rule.origin.clone() };
    let auth = rule.route.auth.is_some().then(|| conflict("auth", "which puts in its own credential"));
    // Threat: through TLS that is not opened a key of the attacker's own would reach the provider.
    let tls = match rule.route.tls {
        TlsMode::Passthrough => Some(conflict("tls", "whose requests must be opened to keep other people's keys out")),
        TlsMode::Intercept => None,
    };
    auth.into_iter().chain(tls).collect()
}

fn within(provider: &'static str, origin: Origin) -> Origin {
    match origin {
        Origin::File { file, line } => Origin::ProviderWithin { provider, file, line },
        other @ (Origin::Provider(_) | Origin::ProviderWithin { .. }) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{ProviderHost, provider_rules};
    use crate::{
        Account, Auth, Host, HostPattern, Origin, PathMatch, PathValue, RequestMatch, Route, Rule, Scheme, TlsMode, TokenRef,
    };

    fn host() -> ProviderHost {
        let token_ref = TokenRef::parse("TOKEN").unwrap();
        ProviderHost {
            host: Host::parse("api.example.com").unwrap(),
            auth: Some(Auth::Scheme { scheme: Scheme::Bearer, token_ref }),
            matches: Vec::new(),
        }
    }

    fn declared(pattern: &str, change: impl FnOnce(&mut Route)) -> Rule {
        let mut route = Route::to(HostPattern::parse(pattern).unwrap());
        change(&mut route);
        Rule { route, origin: Origin::File { file: "/b.md".into(), line: 7 }, account: Account::Any }
    }

    #[test]
    fn a_provider_brings_its_hosts() {
        let other = declared("*.example.com", |_| {});
        let rules = provider_rules("claude", &[host()], vec![other.clone()]).unwrap();
        assert_eq!(rules[0].origin, Origin::Provider("claude"));
        assert_eq!((rules[0].account, &rules[0].route.auth), (Account::Ours, &host().auth));
        assert_eq!(rules[1..], [other]);
    }

    #[test]
    fn a_manifest_bounds_them_and_cannot_replace_the_credential() {
        let bounded = declared("api.example.com", |route| route.ports = vec![8443]);
        let rules = provider_rules("claude", &[host()], vec![bounded]).unwrap();
        assert_eq!(rules.len(), 1);
        assert_eq!(
            (&rules[0].route.auth, rules[0].account, rules[0].route.ports.as_slice()),
            (&host().auth, Account::Ours, &[8443][..])
        );
        assert_eq!(rules[0].origin.to_string(), "the claude template within /b.md:7");

        let open = declared("api.example.com", |route| route.tls = TlsMode::Passthrough);
        let keyed = declared("api.example.com", |route| route.auth = host().auth);
        let conflicts = provider_rules("claude", &[host()], vec![open, keyed]).unwrap_err();
        assert_eq!(conflicts.iter().map(|conflict| conflict.setting).collect::<Vec<_>>(), ["tls", "auth"]);
        assert!(conflicts[0].to_string().starts_with("/b.md:7: the route to api.example.com sets `tls`"), "{}", conflicts[0]);
    }

    #[test]
    fn what_the_program_needs_counts_unless_a_route_says_otherwise() {
        let path = |path| {
            let paths = vec![PathMatch::Prefix(PathValue::parse(path).unwrap())];
            vec![RequestMatch { paths, ..RequestMatch::default() }]
        };
        let hosts = [ProviderHost { matches: path("/model"), ..host() }];
        let matches = |declared| provider_rules("claude", &hosts, declared).unwrap().remove(0).route.matches;
        assert_eq!(matches(vec![]), path("/model"));
        assert_eq!(matches(vec![declared("api.example.com", |route| route.ports = vec![8443])]), path("/model"));
        assert_eq!(matches(vec![declared("api.example.com", |route| route.matches = path("/other"))]), path("/other"));
    }
}
