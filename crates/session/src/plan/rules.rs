use manifest::{ProviderAuth, Resolved, Template};
use policy::{
    Auth, HeaderName, Host, Login, ProviderConflict, ProviderHost, Scheme, Table, TableConflict, TokenRef, provider_rules,
};

/// Why the routes of manifests and provider make no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A manifest's route says what only the provider can.
    #[error("{0}")]
    Provider(ProviderConflict),
    /// Two routes cannot both hold.
    #[error("{0}")]
    Table(#[from] Box<TableConflict>),
}

impl RuleError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Provider(conflict) => conflict.hint(),
            Self::Table(conflict) => conflict.hint(),
        }
    }
}

/// The rules of one agent in its merged bottle: what its manifests declare and what its provider needs. Pure: no credential is
/// looked at.
///
/// # Errors
/// Every route that cannot hold. Not empty.
pub fn rules(resolved: &Resolved) -> Result<Table, Vec<RuleError>> {
    let provider = &resolved.bottle.provider;
    rules_with(resolved, &provider_hosts(provider.template, provider.auth.as_ref()))
}

/// The same with the hosts of a provider whose credential was looked at: which ones Codex asks depends on the kind of login.
pub(crate) fn rules_with(resolved: &Resolved, hosts: &[ProviderHost]) -> Result<Table, Vec<RuleError>> {
    let provider = &resolved.bottle.provider;
    let rules = provider_rules(provider.template.as_str(), hosts, resolved.bottle.egress.rules())
        .map_err(|conflicts| conflicts.into_iter().map(RuleError::Provider).collect::<Vec<_>>())?;
    Table::new(rules).map_err(|conflict| vec![conflict.into()])
}

/// The hosts of a provider's model, and how what pays for it is put into requests.
fn provider_hosts(template: Template, auth: Option<&ProviderAuth>) -> Vec<ProviderHost> {
    let bearer = |token_ref: &TokenRef| Some(Auth::Scheme { scheme: Scheme::Bearer, token_ref: token_ref.clone() });
    let all: Vec<(&str, Option<Auth>)> = match (template, auth) {
        (Template::Command, _) => Vec::new(),
        (Template::Claude, None) => vec![("api.anthropic.com", None)],
        (Template::Claude, Some(ProviderAuth::LongLivedToken(token_ref))) => vec![("api.anthropic.com", bearer(token_ref))],
        (Template::Claude, Some(ProviderAuth::ApiKey(token_ref))) => {
            let header = HeaderName::parse("x-api-key").ok();
            let auth = header.map(|header| Auth::Header { header, token_ref: token_ref.clone() });
            vec![("api.anthropic.com", auth)]
        }
        (Template::Claude, Some(ProviderAuth::HostLogin)) => {
            vec![("api.anthropic.com", bearer(&TokenRef::Login(Login::Claude)))]
        }
        (Template::Codex, None) => vec![("api.openai.com", None)],
        (Template::Codex, Some(ProviderAuth::LongLivedToken(token_ref) | ProviderAuth::ApiKey(token_ref))) => {
            vec![("api.openai.com", bearer(token_ref))]
        }
        (Template::Codex, Some(ProviderAuth::HostLogin)) => {
            let login = TokenRef::Login(Login::Codex);
            vec![("api.openai.com", bearer(&login)), ("chatgpt.com", bearer(&login))]
        }
    };
    let host =
        |(name, auth): (&str, Option<Auth>)| Some(ProviderHost { host: Host::parse(name).ok()?, auth, matches: Vec::new() });
    all.into_iter().filter_map(host).collect()
}
