use std::fmt;

use policy::TokenRef;

/// What kind of agent runs and how it is fed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provider {
    /// The kind.
    pub template: Template,
    /// The program and its arguments; not empty with [`Template::Command`], empty with all others.
    pub command: Vec<String>,
    /// What the bottle's file system is made from; `None`: the backend's own default.
    pub image: Option<Image>,
    /// A Dockerfile to build the image from: begins with `/` or `~/`. Never together with `image`.
    pub dockerfile: Option<String>,
    /// What the agent's model is paid with; `None` with [`Template::Command`], and where the manifest says nothing.
    pub auth: Option<ProviderAuth>,
}

/// What an agent's model is paid with. Never the credential itself; it stays outside the bottle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderAuth {
    /// `auth_token`: Claude's long-lived token. With [`Template::Claude`] alone.
    LongLivedToken(TokenRef),
    /// `api_key`: a key of the model's API.
    ApiKey(TokenRef),
    /// `forward_host_credentials: true`: the login of the agent's own program on the host.
    HostLogin,
}

/// The kinds of agent that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Template {
    /// Claude Code.
    #[default]
    Claude,
    /// Codex.
    Codex,
    /// Any program.
    Command,
}

/// What a bottle's file system is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Image {
    /// A folder or tar archive on the host: begins with `/` or `~/` (where the manifest's folder was meant, that is put in front).
    Path(String),
    /// The name of an image that an engine knows, such as `node:22` or `registry.example.org/team/agent@sha256:…`.
    Engine(String),
}

impl Template {
    /// All templates.
    pub const ALL: [Self; 3] = [Self::Claude, Self::Codex, Self::Command];

    /// As manifests write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Command => "command",
        }
    }

    /// The template with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|template| template.as_str() == text)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
