use manifest::Resolved;
use policy::{Account, Origin, ProviderHost, Rule, Table, TableConflict, provider_rules};

/// Why the routes of a bottle make no table.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A route says of a provider's host what only the provider can.
    #[error("{0}: {hint}", hint = .0.hint())]
    Provider(policy::ProviderConflict),
    /// Two routes cannot both hold.
    #[error(transparent)]
    Table(Box<TableConflict>),
}

/// The rules of an agent in its bottle: those of its manifests, and those of the hosts that its provider brings.
///
/// # Errors
/// Every reason why they cannot be.
pub fn rules(resolved: &Resolved, hosts: &[ProviderHost]) -> Result<Table, Vec<RulesError>> {
    let declared = resolved.bottle.egress.routes.iter().map(|declared| Rule {
        route: declared.route.clone(),
        origin: Origin::File { file: declared.file.clone(), line: declared.line },
        account: Account::Any,
    });
    let rules = provider_rules(resolved.bottle.provider.template.as_str(), hosts, declared.collect())
        .map_err(|conflicts| conflicts.into_iter().map(RulesError::Provider).collect::<Vec<_>>())?;
    Table::new(rules).map_err(|conflict| vec![RulesError::Table(conflict)])
}
