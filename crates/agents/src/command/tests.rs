use bottle::GuestPath;

use super::{AgentCommand, Invocation, Mode};
use crate::{Provider, Template};

fn argv(template: Template, run: &Invocation) -> String {
    let command = if template == Template::Command { vec!["my-agent".into(), "--own".into()] } else { vec![] };
    let provider = Provider::new(template, command, std::path::Path::new("/home/me")).unwrap();
    let argv = AgentCommand::build(&provider, run).argv;
    argv.iter().map(|argument| argument.to_str().unwrap()).collect::<Vec<_>>().join("|")
}

fn prompted(mode: Mode) -> Invocation {
    let prompt_file = Some(GuestPath::parse("/home/node/.bot-bottle-prompt.txt").unwrap());
    Invocation { mode, prompt_file, extra: vec!["--model".into(), "x".into()], ..Invocation::default() }
}

fn with_text(mode: Mode, text: &str) -> Invocation {
    Invocation { text: Some(text.into()), ..prompted(mode) }
}

#[test]
fn claude_gets_the_prompts_path_only_when_there_is_one() {
    assert_eq!(argv(Template::Claude, &Invocation::default()), "claude|--dangerously-skip-permissions");
    assert_eq!(
        argv(Template::Claude, &with_text(Mode::Headless, "do it")),
        "claude|--dangerously-skip-permissions|-p|--append-system-prompt-file|/home/node/.bot-bottle-prompt.txt|--model|x|do it"
    );
    let resumed = Invocation { resume: true, ..Invocation::default() };
    assert_eq!(argv(Template::Claude, &resumed), "claude|--continue|--dangerously-skip-permissions");
}

#[test]
fn codex_is_told_to_read_the_prompt() {
    let headless = argv(Template::Codex, &with_text(Mode::Headless, "do it"));
    assert!(
        headless.starts_with(
            "codex|exec|--dangerously-bypass-approvals-and-sandbox|--skip-git-repo-check|--model|x|Read /home/node/"
        )
    );
    assert!(headless.ends_with("\n\ndo it"), "{headless}");
    let interactive = argv(Template::Codex, &prompted(Mode::Interactive));
    assert!(interactive.ends_with("Then wait for my first task."), "{interactive}");
    let resumed = Invocation { mode: Mode::Headless, resume: true, ..Invocation::default() };
    assert_eq!(
        argv(Template::Codex, &resumed),
        "codex|exec|resume|--last|--dangerously-bypass-approvals-and-sandbox|--skip-git-repo-check"
    );
}

#[test]
fn a_command_keeps_its_arguments_and_finds_the_prompt_in_a_variable() {
    assert_eq!(argv(Template::Command, &with_text(Mode::Headless, "-x")), "my-agent|--own|--model|x|-x");
    let provider = Provider::new(Template::Command, vec!["a".into()], std::path::Path::new("/")).unwrap();
    let env = AgentCommand::build(&provider, &prompted(Mode::Interactive)).env;
    assert_eq!(env, [("BOT_BOTTLE_PROMPT_FILE".into(), "/home/node/.bot-bottle-prompt.txt".into())]);
}

#[test]
fn a_message_never_becomes_an_option() {
    for (template, text) in [(Template::Claude, "--mcp-config=evil"), (Template::Claude, "-p")] {
        let argv = argv(template, &with_text(Mode::Interactive, text));
        assert!(argv.ends_with(&format!("|--|{text}")), "{argv}");
    }
    let codex = Invocation { text: Some("--config=x".into()), ..Invocation::default() };
    assert!(argv(Template::Codex, &codex).ends_with("|--|--config=x"));
}

#[test]
fn an_empty_message_is_none() {
    let run = Invocation { text: Some(String::new()), ..Invocation::default() };
    assert_eq!(argv(Template::Claude, &run), "claude|--dangerously-skip-permissions");
}
