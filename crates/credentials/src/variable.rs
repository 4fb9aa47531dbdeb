use policy::TokenRef;
use secret::Secret;

use crate::{CredentialError, Variables, value};

/// Reads a credential from a variable of the host.
pub(crate) fn read(source: &TokenRef, name: &str, variables: &Variables) -> Result<Secret, CredentialError> {
    let hint = || format!("set it where you start bot-bottle: export {name}=…");
    let given = variables.get(name).ok_or_else(|| CredentialError::of(source, "is not set", hint()))?;
    value::parse(&given).map_err(|error| CredentialError::of(source, error, hint()))
}
