use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;

use manifest::{EnvName, EnvSource};
use secret::Secret;

/// The host's environment, read once by the binary and passed in. Values are secrets until proven otherwise.
#[derive(Debug, Clone, Default)]
pub struct HostEnv(BTreeMap<OsString, Secret>);

/// A variable whose value the person is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The variable.
    pub name: String,
    /// What to ask, from the bottle's file; `None`: just the name.
    pub message: Option<String>,
}

/// Why a variable of a bottle has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("env.{name} comes from the host's variable {host}, which is not set{}", if *.empty { " (it is empty)" } else { "" })]
pub struct UnsetVariable {
    /// The variable in the bottle.
    pub name: String,
    /// The host's variable.
    pub host: String,
    /// It is set, to nothing.
    pub empty: bool,
}

/// A bottle's `env` with everything known that can be known before anybody is asked.
#[derive(Debug, Clone, Default)]
pub struct Env {
    known: Vec<(OsString, Secret)>,
    asks: Vec<Ask>,
}

impl HostEnv {
    /// Takes over the variables of this process.
    pub fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name, Secret::new(value.into_vec()))).collect())
    }

    /// The value of one variable.
    pub fn get(&self, name: impl AsRef<OsStr>) -> Option<&Secret> {
        self.0.get(name.as_ref())
    }

    /// The value of one variable that is no secret, such as `TERM`; `None` when it is unset or empty.
    pub fn plain(&self, name: &str) -> Option<OsString> {
        self.get(name).filter(|value| !value.is_empty()).map(|value| OsString::from_vec(value.reveal().to_vec()))
    }
}

impl Env {
    /// Resolves literals and `${HOST}`; collects what has to be asked.
    ///
    /// # Errors
    /// Every host variable that is not set or empty, by name alone.
    pub fn resolve(wanted: &BTreeMap<EnvName, EnvSource>, host: &HostEnv) -> Result<Self, Vec<UnsetVariable>> {
        let (mut env, mut unset) = (Self::default(), Vec::new());
        for (name, source) in wanted {
            let variable = OsString::from(name.as_str());
            match source {
                EnvSource::Literal(text) => env.known.push((variable, Secret::from(text.as_str()))),
                EnvSource::Ask { message } => env.asks.push(Ask { name: name.as_str().to_owned(), message: message.clone() }),
                EnvSource::Host { var } => match host.get(var.as_str()) {
                    Some(value) if !value.is_empty() => env.known.push((variable, value.clone())),
                    value => unset.push(UnsetVariable {
                        name: name.as_str().to_owned(),
                        host: var.as_str().to_owned(),
                        empty: value.is_some(),
                    }),
                },
            }
        }
        if unset.is_empty() { Ok(env) } else { Err(unset) }
    }

    /// What has to be asked still.
    pub fn asks(&self) -> &[Ask] {
        &self.asks
    }

    /// The person's answer. An empty one is none: it is still asked for.
    pub fn answer(&mut self, name: &str, value: Secret) {
        if value.is_empty() {
            return;
        }
        if let Some(at) = self.asks.iter().position(|ask| ask.name == name) {
            self.asks.remove(at);
            self.known.push((OsString::from(name), value));
        }
    }

    /// Names and values; what has not been asked yet is empty.
    pub fn variables(&self) -> Vec<(OsString, Secret)> {
        let asked = self.asks.iter().map(|ask| (OsString::from(&ask.name), Secret::new(Vec::new())));
        self.known.iter().cloned().chain(asked).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use manifest::{EnvName, EnvSource};
    use secret::Secret;

    use super::{Env, HostEnv};

    fn wanted(entries: &[(&str, EnvSource)]) -> BTreeMap<EnvName, EnvSource> {
        entries.iter().map(|(name, source)| (EnvName::parse(name).unwrap(), source.clone())).collect()
    }

    fn host(var: &str) -> EnvSource {
        EnvSource::Host { var: EnvName::parse(var).unwrap() }
    }

    #[test]
    fn all_unset_host_variables_are_named_at_once_and_no_value_is_shown() {
        let environment = HostEnv::new([("SET".into(), "canary-1".into()), ("EMPTY".into(), "".into())]);
        let wanted = wanted(&[("A", host("SET")), ("B", host("EMPTY")), ("C", host("MISSING"))]);
        let errors = Env::resolve(&wanted, &environment).unwrap_err();
        let text: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            text,
            [
                "env.B comes from the host's variable EMPTY, which is not set (it is empty)",
                "env.C comes from the host's variable MISSING, which is not set"
            ]
        );
        assert!(!format!("{environment:?}").contains("canary-1"));
    }

    #[test]
    fn answers_fill_what_is_asked() {
        let wanted = wanted(&[("A", EnvSource::Literal("1".to_owned())), ("B", EnvSource::Ask { message: None })]);
        let mut env = Env::resolve(&wanted, &HostEnv::default()).unwrap();
        env.answer("B", Secret::from(""));
        assert_eq!(env.asks().len(), 1);
        env.answer("B", Secret::from("x"));
        env.answer("nobody asked", Secret::from("y"));
        assert!(env.asks().is_empty());
        let variables = env.variables();
        assert_eq!(variables, [("A".into(), Secret::from("1")), ("B".into(), Secret::from("x"))]);
    }
}
