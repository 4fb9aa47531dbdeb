use http::HeaderMap;

use crate::origin::Gate;

/// What the model does at one of its turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// It says this; the turn is then the person's.
    Say(String),
    /// It has a shell command run.
    Shell(String),
    /// It has a file of the workspace written, with a tool made for that.
    Write {
        /// The file; Claude wants it absolute.
        path: String,
        /// One line, without its end.
        line: String,
    },
    /// It uses a skill by its name.
    Skill(String),
}

/// The turns of a conversation, in order, whatever the person and the tools say.
///
/// Which turn is next stands in each request: an agent sends what was said before. So a retried request gets the same answer,
/// and several agents can be at it, each at its own place.
#[derive(Debug, Clone)]
pub struct Script {
    turns: Vec<Turn>,
    last: Option<Gate>,
    websockets: bool,
}

/// A header that a request must carry; any other value, or several, is answered with 401.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    header: String,
    value: String,
}

impl Script {
    /// These turns.
    pub fn new(turns: impl IntoIterator<Item = Turn>) -> Self {
        Self { turns: turns.into_iter().collect(), last: None, websockets: true }
    }

    /// The same, with the last turn behind `gate`: the agent waits with everything in it that a conversation has brought there.
    #[must_use]
    pub fn holding(self, gate: &Gate) -> Self {
        Self { last: Some(gate.clone()), ..self }
    }

    /// The same, told over HTTP alone.
    #[must_use]
    pub fn without_websockets(self) -> Self {
        Self { websockets: false, ..self }
    }

    pub(super) fn has_websockets(&self) -> bool {
        self.websockets
    }

    /// What the turn after `said` turns waits for.
    pub(super) fn gate(&self, said: usize) -> Option<&Gate> {
        self.last.as_ref().filter(|_| said + 1 == self.turns.len())
    }

    /// The turn after `said` turns.
    pub(super) fn at(&self, said: usize) -> Turn {
        self.turns.get(said).cloned().unwrap_or_else(|| Turn::Say("(the script is over)".to_owned()))
    }
}

impl Credential {
    /// `Authorization: Bearer TOKEN`
    pub fn bearer(token: &str) -> Self {
        Self::header("authorization", &format!("Bearer {token}"))
    }

    /// `x-api-key: KEY`
    pub fn api_key(key: &str) -> Self {
        Self::header("x-api-key", key)
    }

    /// A header of this lower-case name with this value.
    pub fn header(name: &str, value: &str) -> Self {
        Self { header: name.to_owned(), value: value.to_owned() }
    }

    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        headers.get_all(&self.header).iter().map(http::HeaderValue::as_bytes).eq([self.value.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::{Credential, Script, Turn};
    use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

    #[test]
    fn a_credential_counts_alone() {
        let credential = Credential::bearer("right");
        let mut headers = HeaderMap::new();
        assert!(!credential.is_in(&headers));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer right"));
        assert!(credential.is_in(&headers));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer other"));
        assert!(!credential.is_in(&headers));
    }

    #[test]
    fn holds_its_last_turn_alone() {
        let turns = [Turn::Shell("true".to_owned()), Turn::Say("done".to_owned())];
        let script = Script::new(turns).holding(&crate::origin::Gate::closed());
        assert_eq!([0, 1, 2].map(|said| script.gate(said).is_some()), [false, true, false]);
    }

    #[test]
    fn ends_with_a_text() {
        let script = Script::new([Turn::Shell("true".to_owned())]);
        assert_eq!(script.at(0), Turn::Shell("true".to_owned()));
        assert!(matches!(script.at(1), Turn::Say(_)));
    }
}
