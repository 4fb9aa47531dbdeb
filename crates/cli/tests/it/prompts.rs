use crate::scene::{PROGRAM, SHELL, Scene, exists};
use crate::terminal::Terminal;

#[test]
fn only_yes_means_yes() {
    for (answer, code) in [("y\r", 7), ("YES\r", 7), ("n\r", 130), ("\r", 130), ("yep\r", 130)] {
        let scene = Scene::new();
        let mut terminal = Terminal::run(&scene, &["start", "a", "--", "sh", "-c", "exit 7"]);
        terminal.until("start? [y/N]");
        terminal.press(answer);
        let (status, screen) = terminal.end();
        assert_eq!(status, Some(code), "{answer:?} {screen}");
        assert_eq!(screen.contains("aborted"), code == 130, "{screen}");
        scene.assert_nothing_left();
    }
}

/// Keys that were meant for what ran before, or that a program wrote to the terminal as if they had been typed, decide nothing.
#[test]
fn what_is_typed_before_the_question_does_not_answer_it() {
    let scene = Scene::new();
    let script = "echo ready; read -r go; exec \"$0\" start a -- sh -c 'exit 7'";
    let mut terminal = Terminal::run_other(&scene, "sh", &["-c", script, PROGRAM.as_str()]);
    terminal.until("ready");
    // One line for the shell; the other lies there when the question is asked.
    terminal.press("go\ry\r");
    terminal.until("start? [y/N]");
    terminal.press("n\r");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(130), "{screen}");
    assert!(screen.contains("[y/N] n\naborted"), "{screen}");
    scene.assert_nothing_left();
}

#[test]
fn what_is_swapped_while_the_person_reads_is_not_used() {
    let (shown, planted) = ("project", "planted");
    let scene = Scene::new().file("above/project/shown", "").file("above/planted/planted", "");
    let scene = scene.file("home/.bot-bottle/bottles/b.md", &format!("---\n{SHELL}workspace:\n  copy: true\n---\n"));
    let above = scene.path("above");
    let script = format!("cd {}; exec \"$0\" start a -- ls", above.join(shown).display());
    let mut terminal = Terminal::run_other(&scene, "sh", &["-c", &script, PROGRAM.as_str()]);
    terminal.until("start? [y/N]");
    std::fs::rename(above.join(shown), above.join("was")).unwrap();
    std::os::unix::fs::symlink(above.join(planted), above.join(shown)).unwrap();
    terminal.press("y\r");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(125), "{screen}");
    assert!(screen.contains("something was put in") && !screen.contains("planted\n"), "{screen}");
    scene.assert_nothing_left();
}

#[test]
fn ctrl_c_at_the_question_ends_with_130_and_leaves_nothing() {
    let scene = Scene::new();
    let mut terminal = Terminal::run(&scene, &["start", "a"]);
    terminal.until("start? [y/N]");
    terminal.press("\x03");
    assert_eq!(terminal.end().0, Some(130));
    assert!(!exists(&scene.path("home/.bot-bottle/state")));
}

#[test]
fn a_secret_is_asked_for_unseen() {
    let scene =
        Scene::bare().bottle("b", &format!("{SHELL}env:\n  TOKEN: \"?token for the registry\"\n")).agent("a", "bottle: b\n", "");
    let mut terminal = Terminal::run(&scene, &["start", "a", "--yes", "--", "sh", "-c", "echo \"$TOKEN\" | sed s/canary/given/"]);
    terminal.until("token for the registry (TOKEN):");
    terminal.press("canary-91\r");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("given-91") && !screen.contains("canary-91"), "{screen}");

    let mut terminal = Terminal::run(&scene, &["start", "a", "--yes"]);
    terminal.until("(TOKEN):");
    terminal.press("half\x03");
    assert_eq!(terminal.end().0, Some(130));

    let ran = scene.run(&["start", "a", "--headless", "--yes"]);
    assert!(ran.code == 2 && ran.stderr.contains("env.TOKEN has to be asked for"), "{ran:?}");
}

/// A bottle that asks for `TOKEN`.
fn asking() -> Scene {
    Scene::bare().bottle("b", &format!("{SHELL}env:\n  TOKEN: \"?\"\n")).agent("a", "bottle: b\n", "")
}

#[test]
fn a_secret_longer_than_a_terminals_line_arrives_whole() {
    let scene = asking();
    let mut terminal = Terminal::run(&scene, &["start", "a", "--yes", "--", "sh", "-c", "echo \"${#TOKEN}:${TOKEN##*x}\""]);
    terminal.until("TOKEN:");
    terminal.press(&format!("{}end\r", "x".repeat(20_000)));
    let (code, screen) = terminal.end();
    assert!(code == Some(0) && screen.contains("20003:end") && !screen.contains("xx"), "{screen}");
}

#[test]
fn a_secret_that_is_too_long_is_refused_and_not_typed_into_the_shell() {
    let scene = asking();
    let script = "\"$0\" start a --yes; echo status $?; read -r line; echo \"shell read: $line\"";
    let mut terminal = Terminal::run_other(&scene, "sh", &["-c", script, PROGRAM.as_str()]);
    terminal.until("TOKEN:");
    terminal.press(&"x".repeat(64 * 1024 + 1));
    terminal.until("status 125");
    terminal.press("next\r");
    let (_, screen) = terminal.end();
    assert!(screen.contains("the answer is longer than 65536 bytes") && screen.contains("TOKEN: ${"), "{screen}");
    assert!(screen.contains("shell read: next"), "{screen}");
}

#[test]
fn an_empty_secret_is_asked_for_again_and_the_end_of_input_interrupts() {
    let scene = asking();
    let mut terminal = Terminal::run(&scene, &["start", "a", "--yes", "--", "sh", "-c", "echo got $TOKEN"]);
    terminal.until("TOKEN:");
    terminal.press("\r");
    terminal.until("TOKEN cannot be empty");
    terminal.press("wrong\x15rigX\x7fht\r");
    let (code, screen) = terminal.end();
    assert!(code == Some(0) && screen.contains("got right"), "{screen}");

    let mut terminal = Terminal::run(&scene, &["start", "a", "--yes"]);
    terminal.until("TOKEN:");
    terminal.press("\x04");
    assert_eq!(terminal.end().0, Some(130));
    scene.assert_nothing_left();
}

#[test]
fn in_half_a_pipe_nothing_is_asked_and_nothing_made() {
    let scene = Scene::new();
    for (script, missing) in [
        ("echo y | \"$0\" start a", "stdin is not a terminal"),
        ("echo y | \"$0\" start", "stdin is not a terminal"),
        ("{ \"$0\" start a; echo $? >status; } | cat; exit $(cat status)", "stdout is not a terminal"),
    ] {
        let (code, screen) = Terminal::run_other(&scene, "sh", &["-c", script, PROGRAM.as_str()]).end();
        assert_eq!(code, Some(2), "{screen}");
        assert!(screen.contains(missing) && screen.contains("hint: add --headless") && !screen.contains("[y/N]"), "{screen}");
        assert!(!exists(&scene.path("home/.bot-bottle/state")));
    }
}

#[test]
fn headless_with_piped_stdin_is_still_asked_on_the_terminal() {
    let scene = Scene::new();
    let script = "echo data | \"$0\" start a --headless -- cat";
    let mut terminal = Terminal::run_other(&scene, "sh", &["-c", script, PROGRAM.as_str()]);
    terminal.until("start? [y/N]");
    terminal.press("y\r");
    let (code, screen) = terminal.end();
    assert!(code == Some(0) && screen.contains("data"), "{screen}");
}

#[test]
fn without_an_agent_one_is_picked() {
    let scene = Scene::new().agent("fixer", "bottle: b\n", "").agent("writer", "bottle: b\n", "");
    let mut terminal = Terminal::run(&scene, &["start", "--yes", "--", "true"]);
    terminal.until("3 of 3");
    terminal.press("wr");
    terminal.until("1 of 3");
    terminal.press("\r");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("agent      writer") && !screen.contains("of 3"), "{screen}");
}

#[test]
fn escape_leaves_the_picker_and_ctrl_c_interrupts_it() {
    for (key, code) in [("\x1b", 130), ("\x03", 130)] {
        let scene = Scene::new();
        let mut terminal = Terminal::run(&scene, &["start"]);
        terminal.until("1 of 1");
        terminal.press(key);
        let (status, screen) = terminal.end();
        assert_eq!((status, screen.trim()), (Some(code), ""));
    }
}
