use manifest::{ProviderAuth, Resolved, Template};
use policy::{
    Account, Auth, HeaderName, Host, Login, Origin, ProviderHost, Rule, Scheme, Table, TableConflict, TokenRef, provider_rules,
};

/// Why the routes of a bottle make no table.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A route says of a provider's host what only the provider can.
    #[error("{0}: {hint}", hint = .0.hint())]
    Provider(#[from] policy::ProviderConflict),
    /// Two routes cannot both hold.
    #[error(transparent)]
    Table(#[from] Box<TableConflict>),
}

/// The rules of an agent in its bottle: those of its manifests, and those that its provider brings.
///
/// # Errors
/// Every reason why they cannot be.
pub fn rules(resolved: &Resolved) -> Result<Table, Vec<RulesError>> {
    let declared = resolved.bottle.egress.routes.iter().map(|declared| Rule {
        route: declared.route.clone(),
        origin: Origin::File { file: declared.file.clone(), line: declared.line },
        account: Account::Any,
    });
    let (provider, hosts) = provider_hosts(resolved);
    let rules = provider_rules(provider, &hosts, declared.collect())
        .map_err(|conflicts| conflicts.into_iter().map(RulesError::from).collect::<Vec<_>>())?;
    Table::new(rules).map_err(|conflict| vec![RulesError::from(conflict)])
}

/// The hosts of the provider's API, and how its credential is put in.
fn provider_hosts(resolved: &Resolved) -> (&'static str, Vec<ProviderHost>) {
    let provider = &resolved.bottle.provider;
    let bearer = |token_ref: TokenRef| Auth::Scheme { scheme: Scheme::Bearer, token_ref };
    let own_header = |name: &str, token_ref: TokenRef| match HeaderName::parse(name) {
        Ok(header) => Auth::Header { header, token_ref },
        Err(_) => bearer(token_ref),
    };
    let hosts: Vec<(&str, Option<Auth>)> = match provider.template {
        Template::Command => Vec::new(),
        Template::Claude => {
            let auth = match &provider.auth {
                None => None,
                Some(ProviderAuth::LongLivedToken(token)) => Some(bearer(token.clone())),
                Some(ProviderAuth::ApiKey(key)) => Some(own_header("x-api-key", key.clone())),
                Some(ProviderAuth::HostLogin) => Some(bearer(TokenRef::Login(Login::Claude))),
            };
            vec![("api.anthropic.com", auth)]
        }
        Template::Codex => match &provider.auth {
            None => vec![("api.openai.com", None), ("chatgpt.com", None)],
            Some(ProviderAuth::LongLivedToken(key) | ProviderAuth::ApiKey(key)) => {
                vec![("api.openai.com", Some(bearer(key.clone())))]
            }
            Some(ProviderAuth::HostLogin) => {
                let login = || Some(bearer(TokenRef::Login(Login::Codex)));
                vec![("api.openai.com", login()), ("chatgpt.com", login())]
            }
        },
    };
    let hosts = hosts.into_iter().filter_map(|(host, auth)| Some(ProviderHost { host: Host::parse(host).ok()?, auth }));
    (provider.template.as_str(), hosts.collect())
}
