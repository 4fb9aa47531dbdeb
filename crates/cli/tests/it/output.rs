//! Where what we say cannot be written.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::scene::{PROGRAM, Ran, Scene};

const DATA: [&[&str]; 13] = [
    &["list"],
    &["list", "bottles", "--json"],
    &["list", "active", "--json"],
    &["info", "a"],
    &["info", "a", "--json"],
    &["doctor"],
    &["doctor", "--json"],
    &["policy", "explain", "a", "https://evil.example/"],
    &["policy", "test", "p.yaml"],
    &["completions", "bash"],
    &["start", "a", "--dry-run", "--format", "json"],
    &["--version"],
    &["list", "--help"],
];

fn scene() -> Scene {
    Scene::new().file("project/p.yaml", "agent: a\ncases: [{url: https://evil.example/, expect: refuse}]\n")
}

fn run_into(scene: &Scene, stdout: impl Into<Stdio>, args: &[&str]) -> Ran {
    let mut command = scene.command(args);
    command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
    Ran::of_child(command.spawn().unwrap())
}

fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

#[test]
fn data_that_cannot_be_written_is_a_failure() {
    let scene = scene();
    for args in DATA {
        let ran = run_into(&scene, full(), args);
        assert_eq!(ran.code, 125, "{args:?} {ran:?}");
        for said in ["error: writing to stdout: No space left on device", "hint: make room"] {
            assert!(ran.stderr.contains(said), "{args:?} {ran:?}");
        }
    }
}

/// As the shell's `>&-` leaves it, and as `>/dev/null` mistaken for `</dev/null` would.
#[test]
fn a_closed_stdout_is_a_failure() {
    let scene = scene();
    let live = scene.live("echo ready; sleep 1000");
    let agent: [&[&str]; 2] =
        [&["start", "a", "--headless", "--yes", "--", "echo", "said"], &["exec", "s", "--", "echo", "said"]];
    for (all, said) in [(&DATA[..], "error: writing to stdout: it is closed"), (&agent[..], "Bad file descriptor")] {
        for args in all {
            for closed in ["exec \"$0\" \"$@\" >&-", "exec \"$0\" \"$@\" 1</dev/null"] {
                let mut command = Command::new("sh");
                scene.set_up(&mut command);
                let ran = Ran::of(command.args(["-c", closed, PROGRAM.as_str()]).args(*args).stdin(Stdio::null()));
                assert!(ran.code == 125 && ran.stderr.contains(said), "{closed} {args:?} {ran:?}");
            }
        }
    }
    drop(live);
}

#[test]
fn a_reader_that_is_gone_is_none() {
    let scene = scene();
    for args in DATA {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = run_into(&scene, writer, args);
        assert!(ran.code < 2 && ran.stderr.is_empty(), "{args:?} {ran:?}");
    }
}

/// What a script takes for the agent's answer is all of it, or there is an error.
#[test]
fn what_an_agent_says_is_not_lost_in_silence() {
    let scene = Scene::new();
    let ran = run_into(&scene, full(), &["start", "a", "--headless", "--yes", "--", "echo", "said"]);
    assert_eq!(ran.code, 125, "{ran:?}");
    assert!(ran.stderr.contains("writing what the agent says: No space left on device"), "{ran:?}");
    let live = scene.live("echo ready; sleep 1000");
    let ran = run_into(&scene, full(), &["exec", "s", "--", "echo", "said"]);
    assert_eq!(ran.code, 125, "{ran:?}");
    assert!(ran.stderr.contains("error: writing what the program says: No space left on device"), "{ran:?}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = run_into(&scene, writer, &["exec", "s", "--", "sh", "-c", "echo said; exit 3"]);
    assert!(!ran.stderr.contains("error"), "{ran:?}");
    drop(live);
}

#[test]
fn running_out_of_files_comes_with_what_to_do() {
    let scene = Scene::new();
    let script = "ulimit -n \"$1\"; shift; exec \"$0\" \"$@\"";
    let told = (3..12).filter(|most| {
        let mut command = Command::new("sh");
        scene.set_up(&mut command);
        command.args(["-c", script, PROGRAM.as_str(), &most.to_string(), "list", "agents"]);
        let ran = Ran::of(&mut command);
        let is_short = ran.stderr.contains("Too many open files");
        assert!(!is_short || (ran.code == 125 && ran.stderr.contains("hint: this process may open no more files")), "{ran:?}");
        is_short
    });
    assert!(told.count() > 0);
}
