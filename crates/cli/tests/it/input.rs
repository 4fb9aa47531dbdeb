//! What a program in a bottle reads, where our own stdin cannot be read.

use std::fs::File;
use std::process::Stdio;

use crate::scene::{Ran, Scene};

fn run_from(scene: &Scene, stdin: File, args: &[&str]) -> Ran {
    let mut command = scene.command(args);
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ran::of_child(command.spawn().unwrap())
}

const START: [&str; 5] = ["start", "a", "--headless", "--yes", "--"];
const EXEC: [&str; 3] = ["exec", "s", "--"];
/// Tells when it has been told the end of its input.
const READS: [&str; 3] = ["sh", "-c", "cat; echo all of it"];

/// A program must not take half of its input for the whole and act on it.
#[test]
fn an_error_of_reading_is_no_end_of_input() {
    let scene = Scene::new();
    let live = scene.live("echo ready; sleep 1000");
    for command in [&START[..], &EXEC[..]] {
        // A folder can be opened and not read (`read(2)`, EISDIR).
        let ran = run_from(&scene, File::open("/").unwrap(), &[command, &READS[..]].concat());
        assert!(ran.code == 125 && ran.stdout.is_empty(), "{command:?} {ran:?}");
        assert!(ran.stderr.contains("error: reading stdin: Is a directory"), "{command:?} {ran:?}");
    }
    drop(live);
}

/// What `nohup` puts in the place of a terminal (GNU coreutils: a `/dev/null` that is open for writing alone).
#[test]
fn a_stdin_that_is_open_for_writing_alone_is_none() {
    let scene = Scene::new();
    let live = scene.live("echo ready; sleep 1000");
    for command in [&START[..], &EXEC[..]] {
        let stdin = File::options().write(true).open("/dev/null").unwrap();
        let ran = run_from(&scene, stdin, &[command, &READS[..]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "all of it\n"), "{command:?} {ran:?}");
    }
    drop(live);
}
