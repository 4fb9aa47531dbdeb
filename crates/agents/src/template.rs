use std::fmt;

use bottle::{Dockerfile, Recipe};

/// What kind of agent runs: `agent_provider.template` of a bottle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Template {
    /// Claude Code.
    #[default]
    Claude,
    /// OpenAI Codex.
    Codex,
    /// Any program: `agent_provider.command`.
    Command,
}

/// A template nobody has heard of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown agent_provider.template {0:?}; use claude, codex or command")]
pub struct UnknownTemplate(String);

impl Template {
    /// Every template, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Claude, Self::Codex, Self::Command];

    /// Parses its name as a manifest spells it.
    ///
    /// # Errors
    /// When there is no template of that name.
    pub fn parse(name: &str) -> Result<Self, UnknownTemplate> {
        let known = Self::ALL.into_iter().find(|template| template.name() == name);
        known.ok_or_else(|| UnknownTemplate(name.chars().take(80).collect()))
    }

    /// How the project's own image for it is built, where a backend has no file system of its own to offer.
    pub fn recipe(self) -> Recipe {
        let text = match self {
            Self::Claude => include_str!("../../../images/claude/Dockerfile"),
            Self::Codex => include_str!("../../../images/codex/Dockerfile"),
            Self::Command => include_str!("../../../images/command/Dockerfile"),
        };
        Recipe { name: self.name().to_owned(), dockerfile: Dockerfile::Text(text) }
    }

    /// Its name as a manifest spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Command => "command",
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn every_name_parses_back() {
        for template in Template::ALL {
            assert_eq!(Template::parse(template.name()), Ok(template));
        }
        let error = Template::parse("Claude\n").unwrap_err().to_string();
        assert!(error.contains("claude, codex or command") && error.contains("\\n"), "{error}");
    }
}
