use std::ffi::{OsStr, OsString};
use std::path::Path;

use bottle::GuestPath;
use policy::ProviderHost;

use crate::{Credential, CredentialNotTaken, Headless, Placeholder, PromptMode, Runtime, Template, claude, codex};

/// What kind of agent runs, with the command of a `command` template, and what its model is paid with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    template: Template,
    command: Vec<OsString>,
    credential: Credential,
}

/// A file that the agent's program needs in order to start without a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFile {
    /// Its place, relative to `/home/node`.
    pub at: &'static str,
    /// What is in it; never a secret.
    pub content: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
}

/// Why a provider cannot be used as the manifest has it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// `template: command` without a command.
    #[error("agent_provider.template: command needs agent_provider.command, for example [my-agent, --all]")]
    NoCommand,
    /// A command for a template that has its own.
    #[error("agent_provider.command is for agent_provider.template: command alone; {0} has its own command")]
    CommandNotTaken(Template),
    /// An argument the kernel cannot take, or an empty program.
    #[error("agent_provider.command[{index}] {reason}")]
    BadArgument {
        /// Which one, from 0.
        index: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
}

const ANY_PROGRAM: Runtime = Runtime {
    program: "",
    bypass: &[],
    prompt: PromptMode::Variable,
    headless: Headless { leading: &[], trailing: &[] },
    resume: &[],
    env: &[],
};

impl ProviderFile {
    pub(crate) fn new(at: &'static str, content: String, mode: u32) -> Self {
        Self { at, content: content.into_bytes(), mode }
    }
}

impl Provider {
    /// A provider from what the manifest says; `command` is `agent_provider.command`, empty when it is not set; a `~/` at its
    /// beginning is the home.
    ///
    /// # Errors
    /// When the command is missing, not wanted, or holds something that no program can be given.
    pub fn new(template: Template, mut command: Vec<OsString>, home: &Path) -> Result<Self, ProviderError> {
        match (template, command.is_empty()) {
            (Template::Command, true) => return Err(ProviderError::NoCommand),
            (Template::Claude | Template::Codex, false) => return Err(ProviderError::CommandNotTaken(template)),
            (Template::Command, false) | (Template::Claude | Template::Codex, true) => {}
        }
        for (index, argument) in command.iter().enumerate() {
            if index == 0 && argument.is_empty() {
                return Err(ProviderError::BadArgument { index, reason: "is the program and must not be empty" });
            }
            if argument.as_encoded_bytes().contains(&0) {
                return Err(ProviderError::BadArgument { index, reason: "holds a NUL byte" });
            }
        }
        if let Some(program) = command.first_mut()
            && let Ok(below) = Path::new(program).strip_prefix("~")
        {
            *program = home.join(below).into_os_string();
        }
        Ok(Self { template, command, credential: Credential::None })
    }

    /// The same provider, paid with `credential`: hosts, placeholders and files follow from it.
    ///
    /// # Errors
    /// When the template's program cannot work with it.
    pub fn paid_with(self, credential: Credential) -> Result<Self, CredentialNotTaken> {
        if credential.is_for(self.template) { Ok(Self { credential, ..self }) } else { Err(CredentialNotTaken(self.template)) }
    }

    /// What its model is paid with.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The hosts that it asks, and how the credential is put into its requests: for [`policy::provider_rules`].
    pub fn hosts(&self) -> Vec<ProviderHost> {
        self.credential.hosts(self.template)
    }

    /// What stands in for the credential in a bottle. Whoever meets one of these values outside knows that it is nobody's.
    pub fn placeholders(&self) -> Vec<Placeholder> {
        match self.template {
            Template::Claude => vec![claude::placeholder(&self.credential)],
            Template::Codex => codex::placeholders(&self.credential),
            Template::Command => Vec::new(),
        }
    }

    /// Its template.
    pub fn template(&self) -> Template {
        self.template
    }

    /// The program as a shell would be given it: a name to look up on `PATH`, or a path.
    pub fn program(&self) -> &OsStr {
        self.command.first().map_or_else(|| OsStr::new(self.runtime().program), OsString::as_os_str)
    }

    /// The arguments that the manifest gives the program; empty unless the template is `command`.
    pub fn arguments(&self) -> &[OsString] {
        self.command.get(1..).unwrap_or_default()
    }

    /// How it is started.
    pub fn runtime(&self) -> &'static Runtime {
        match self.template {
            Template::Claude => &claude::RUNTIME,
            Template::Codex => &codex::RUNTIME,
            Template::Command => &ANY_PROGRAM,
        }
    }

    /// Folders, relative to `/home/node`, where the program looks for skills beside the guest skills folder.
    pub fn skill_folders(&self) -> &'static [&'static str] {
        match self.template {
            Template::Claude | Template::Command => &[],
            Template::Codex => codex::SKILL_FOLDERS,
        }
    }

    /// The files it needs so that it starts without a question; `folders` are the ones it may be started in.
    pub fn files(&self, folders: &[GuestPath]) -> Vec<ProviderFile> {
        match self.template {
            Template::Claude => claude::files(folders, &self.credential),
            Template::Codex => codex::files(folders, &self.credential),
            Template::Command => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Provider, ProviderError};
    use crate::{Credential, CredentialNotTaken, Template};

    fn new(template: Template, command: Vec<std::ffi::OsString>) -> Result<Provider, ProviderError> {
        Provider::new(template, command, std::path::Path::new("/home/me"))
    }

    #[test]
    fn a_command_is_needed_exactly_when_the_template_is_command() {
        assert_eq!(new(Template::Command, vec![]), Err(ProviderError::NoCommand));
        let with = |template| new(template, vec!["x".into()]);
        assert_eq!(with(Template::Codex), Err(ProviderError::CommandNotTaken(Template::Codex)));
        assert_eq!(with(Template::Command).unwrap().program(), "x");
        assert_eq!(new(Template::Claude, vec![]).unwrap().program(), "claude");
    }

    #[test]
    fn arguments_that_no_program_can_be_given_are_named() {
        let bad = new(Template::Command, vec!["x".into(), "a\0b".into()]).unwrap_err();
        assert_eq!(bad.to_string(), "agent_provider.command[1] holds a NUL byte");
        assert!(new(Template::Command, vec!["".into()]).is_err());
    }

    #[test]
    fn a_provider_is_paid_with_what_its_program_can_work_with() {
        let claude = new(Template::Claude, vec![]).unwrap();
        assert_eq!((claude.credential(), claude.hosts()[0].auth.is_none()), (&Credential::None, true));
        let paid = claude.clone().paid_with(Credential::ClaudeLogin).unwrap();
        assert!(paid.hosts()[0].auth.is_some());
        assert_eq!(claude.paid_with(Credential::CodexKeyLogin), Err(CredentialNotTaken(Template::Claude)));
        assert!(new(Template::Command, vec!["x".into()]).unwrap().placeholders().is_empty());
    }

    #[test]
    fn the_program_may_stand_in_the_home() {
        let provider = new(Template::Command, vec!["~/bin/agent".into(), "~/x".into()]).unwrap();
        assert_eq!((provider.program().to_str(), provider.arguments()), (Some("/home/me/bin/agent"), &["~/x".into()][..]));
    }
}
