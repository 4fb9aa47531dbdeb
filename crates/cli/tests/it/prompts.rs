use crate::scene::{SHELL, Scene, exists};
use crate::terminal::Terminal;

#[test]
fn only_yes_means_yes() {
    for (answer, code) in [("y\r", 7), ("YES\r", 7), ("n\r", 0), ("\r", 0), ("yep\r", 0)] {
        let scene = Scene::new();
        let mut terminal = Terminal::run(&scene, &["start", "a", "--", "sh", "-c", "exit 7"]);
        terminal.until("start? [y/N]");
        terminal.press(answer);
        let (status, screen) = terminal.end();
        assert_eq!(status, Some(code), "{answer:?} {screen}");
        assert_eq!(screen.contains("aborted"), code == 0, "{screen}");
        scene.assert_nothing_left();
    }
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
    for (key, code) in [("\x1b", 0), ("\x03", 130)] {
        let scene = Scene::new();
        let mut terminal = Terminal::run(&scene, &["start"]);
        terminal.until("1 of 1");
        terminal.press(key);
        let (status, screen) = terminal.end();
        assert_eq!((status, screen.trim()), (Some(code), ""));
    }
}
