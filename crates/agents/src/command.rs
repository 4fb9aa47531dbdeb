use std::ffi::OsString;

use bottle::GuestPath;

use crate::{Headless, PromptMode, Provider, Runtime};

/// The agent's program and arguments, and the variables that belong to them. No secret is among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentCommand {
    /// Program and arguments.
    pub argv: Vec<OsString>,
    /// Variables for this run alone, to be added after the provisioned environment.
    pub env: Vec<(OsString, OsString)>,
}

/// One run of an agent.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// With or without a terminal.
    pub mode: Mode,
    /// Whether it goes on with the last conversation.
    pub resume: bool,
    /// The provisioned prompt file; `None` when the agent's file has no prompt.
    pub prompt_file: Option<GuestPath>,
    /// The person's own first message: `--prompt TEXT`.
    pub text: Option<String>,
    /// The person's own arguments for the program.
    pub extra: Vec<OsString>,
}

/// With or without a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// A terminal and a person at it.
    #[default]
    Interactive,
    /// Streams alone: the agent does its task, prints and ends.
    Headless,
}

impl AgentCommand {
    /// Builds the argument vector: program, its own arguments, headless or resume and bypass arguments, prompt file, extra
    /// arguments, and last the message.
    pub fn build(provider: &Provider, run: &Invocation) -> Self {
        let runtime = provider.runtime();
        let mut argv = vec![provider.program().to_owned()];
        argv.extend_from_slice(provider.arguments());
        let headless = match run.mode {
            Mode::Headless => runtime.headless,
            Mode::Interactive => Headless { leading: &[], trailing: &[] },
        };
        let resume = if run.resume { runtime.resume } else { &[] };
        for arguments in [headless.leading, resume, runtime.bypass, headless.trailing] {
            argv.extend(arguments.iter().map(OsString::from));
        }
        let mut env = Vec::new();
        let mut message = run.text.clone().filter(|text| !text.is_empty());
        if let Some(file) = &run.prompt_file {
            match runtime.prompt {
                PromptMode::AppendFile(flag) => argv.extend([flag.into(), file.as_path().into()]),
                PromptMode::ToldToRead => message = Some(told_to_read(file, message.as_deref(), run.mode)),
                PromptMode::Variable => env.push(("BOT_BOTTLE_PROMPT_FILE".into(), file.as_path().into())),
            }
        }
        argv.extend_from_slice(&run.extra);
        if let Some(message) = message {
            // A message that begins with '-' must stay a message: it may quote a repository.
            if ends_options(runtime) && message.starts_with('-') {
                argv.push("--".into());
            }
            argv.push(message.into());
        }
        Self { argv, env }
    }
}

/// A program of the person's own may not know `--`.
fn ends_options(runtime: &Runtime) -> bool {
    !runtime.program.is_empty()
}

fn told_to_read(file: &GuestPath, message: Option<&str>, mode: Mode) -> String {
    let read = format!("Read {} first: it holds your instructions for this session. Follow them.", file.as_path().display());
    match (message, mode) {
        (Some(message), _) => format!("{read}\n\n{message}"),
        (None, Mode::Interactive) => format!("{read} Then wait for my first task."),
        (None, Mode::Headless) => read,
    }
}

#[cfg(test)]
mod tests;
