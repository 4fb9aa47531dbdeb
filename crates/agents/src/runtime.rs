/// How the program of a template is started: plain data, one record per template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runtime {
    /// The program's name; empty when the manifest gives the command.
    pub program: &'static str,
    /// Arguments that let the agent act without asking: the bottle is what holds it.
    pub bypass: &'static [&'static str],
    /// How it is given the prompt of the agent's file.
    pub prompt: PromptMode,
    /// How it is run without a terminal.
    pub headless: Headless,
    /// Arguments that go on with the last conversation.
    pub resume: &'static [&'static str],
    /// Variables that it always gets; the bottle's own `env` wins over them.
    pub env: &'static [(&'static str, &'static str)],
}

/// How the prompt of an agent's file reaches the agent. Only the file's path is ever on a command line, never its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptMode {
    /// This flag, followed by the path, adds the file to the system prompt.
    AppendFile(&'static str),
    /// The first message tells the agent to read the file.
    ToldToRead,
    /// The program finds the path in `BOT_BOTTLE_PROMPT_FILE`, when there is a prompt.
    Variable,
}

/// The arguments that run a program without a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headless {
    /// Before every option: a subcommand.
    pub leading: &'static [&'static str],
    /// After the bypass arguments.
    pub trailing: &'static [&'static str],
}
