use std::path::Path;

use agents::{Credential, Provider};
use manifest::{ProviderAuth, Resolved, Template};
use policy::{ProviderConflict, ProviderHost, Table, TableConflict, provider_rules};

/// Why the routes of manifests and provider make no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A manifest's route says what only the provider can.
    #[error("{0}")]
    Provider(Box<ProviderConflict>),
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
    rules_with(provider.template, resolved, &provider_hosts(provider.template, provider.auth.as_ref()))
}

/// The same with the hosts of a provider whose credential was looked at: which ones Codex asks depends on the kind of login.
pub(crate) fn rules_with(template: Template, resolved: &Resolved, hosts: &[ProviderHost]) -> Result<Table, Vec<RuleError>> {
    let rules = provider_rules(template.as_str(), hosts, resolved.bottle.egress.rules())
        .map_err(|conflicts| conflicts.into_iter().map(|conflict| RuleError::Provider(Box::new(conflict))).collect::<Vec<_>>())?;
    Table::new(rules).map_err(|conflict| vec![conflict.into()])
}

/// The hosts of a provider's model by what the manifest says alone. A login of Codex may be of either kind: both bring the same
/// hosts.
fn provider_hosts(template: Template, auth: Option<&ProviderAuth>) -> Vec<ProviderHost> {
    let template = match template {
        Template::Command => return Vec::new(),
        Template::Claude => agents::Template::Claude,
        Template::Codex => agents::Template::Codex,
    };
    let credential = match (template, auth) {
        (_, None) => Credential::None,
        (_, Some(ProviderAuth::LongLivedToken(token))) => Credential::Token(token.clone()),
        (_, Some(ProviderAuth::ApiKey(key))) => Credential::ApiKey(key.clone()),
        (agents::Template::Codex, Some(ProviderAuth::HostLogin)) => Credential::CodexKeyLogin,
        (agents::Template::Claude | agents::Template::Command, Some(ProviderAuth::HostLogin)) => Credential::ClaudeLogin,
    };
    // The home matters to a program's path alone, and these templates have none in the manifest.
    let provider =
        Provider::new(template, Vec::new(), Path::new("/")).ok().and_then(|provider| provider.paid_with(credential).ok());
    provider.map(|provider| provider.hosts()).unwrap_or_default()
}
