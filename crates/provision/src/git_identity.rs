use bottle::{GuestPath, GuestPathError};

use crate::part::{Part, in_home};

/// Who the agent's commits are by. A claim: nothing vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GitIdentity {
    /// `user.name`
    pub name: Option<String>,
    /// `user.email`
    pub email: Option<String>,
}

/// Why an identity cannot be written into a git configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("git-gate.user.{key} {reason}: {value:?}")]
pub struct GitIdentityError {
    /// `name` or `email`.
    pub key: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
    /// The value, shortened; shown escaped.
    pub value: String,
}

impl GitIdentity {
    /// Checks both values: git ends a commit's author line at a newline, and its e-mail address at `>`.
    ///
    /// # Errors
    /// The first value that cannot stand in a commit.
    pub fn check(&self) -> Result<(), GitIdentityError> {
        for (key, value) in [("name", &self.name), ("email", &self.email)] {
            let Some(value) = value else { continue };
            let bad = |reason| GitIdentityError { key, reason, value: value.chars().take(80).collect() };
            if value.trim().is_empty() {
                return Err(bad("is empty; leave it out instead"));
            }
            if value.chars().any(char::is_control) {
                return Err(bad("holds a newline or another control character"));
            }
            if value.contains(['<', '>']) {
                return Err(bad("holds '<' or '>', which git takes for the ends of the e-mail address"));
            }
        }
        Ok(())
    }
}

/// `~/.gitconfig`, when there is anything to write into it. `folders` are repositories of our making, which git trusts even
/// where a backend cannot give them to the agent's user.
pub(crate) fn part(identity: Option<&GitIdentity>, folders: &[GuestPath]) -> Result<Option<Part>, GuestPathError> {
    let mut config = String::new();
    if let Some(identity) = identity {
        section(&mut config, "user", [("name", identity.name.as_deref()), ("email", identity.email.as_deref())]);
    }
    for folder in folders {
        section(&mut config, "safe", [("directory", folder.as_path().to_str())]);
    }
    if config.is_empty() { Ok(None) } else { Ok(Some(Part::file(in_home(".gitconfig")?, config, 0o644))) }
}

fn section<const N: usize>(config: &mut String, name: &str, values: [(&str, Option<&str>); N]) {
    if values.iter().any(|(_, value)| value.is_some()) {
        config.push_str(&format!("[{name}]\n"));
    }
    for (key, value) in values {
        if let Some(value) = value {
            config.push_str(&format!("\t{key} = {}\n", quoted(value)));
        }
    }
}

/// A value as git reads it back (git-config(1), "Syntax"): in quotes, `"` and `\` escaped. There is no newline in it.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests;
