use agents::Credential;
use manifest::{ProviderAuth, Resolved, Template};
use policy::{Account, Origin, ProviderHost, Rule, Table, TableConflict, provider_rules};

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
    // Which kind of login it is makes no difference to the hosts.
    let credential = paid_with(provider, || Credential::CodexKeyLogin);
    (provider.template.as_str(), credential.hosts(template(provider.template)))
}

/// What the manifest says that the model is paid with; `codex` tells what kind of login Codex has.
pub(crate) fn paid_with(provider: &manifest::Provider, codex: impl FnOnce() -> Credential) -> Credential {
    match (&provider.auth, provider.template) {
        (None, _) | (Some(_), Template::Command) => Credential::None,
        (Some(ProviderAuth::LongLivedToken(token)), Template::Claude | Template::Codex) => Credential::Token(token.clone()),
        (Some(ProviderAuth::ApiKey(key)), Template::Claude | Template::Codex) => Credential::ApiKey(key.clone()),
        (Some(ProviderAuth::HostLogin), Template::Claude) => Credential::ClaudeLogin,
        (Some(ProviderAuth::HostLogin), Template::Codex) => codex(),
    }
}

/// The template of that name.
pub(crate) fn template(template: Template) -> agents::Template {
    match template {
        Template::Claude => agents::Template::Claude,
        Template::Codex => agents::Template::Codex,
        Template::Command => agents::Template::Command,
    }
}
