//! Programs: their arguments, their end, and those that cannot be run.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use bottle::{Exec, ExecError, ExitStatus, Tree, User};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use super::Room;
use crate::probe::to_hex;

pub(super) async fn exit_status_is_the_programs_own(room: Room) {
    for status in [0, 1, 7, 125, 126, 127, 128, 255] {
        let output = room.run(room.probe(&["exit", &status.to_string()])).await;
        assert_eq!(output.status, ExitStatus::Code(status));
        assert_eq!(output.status.code(), status);
    }
    room.close().await;
}

pub(super) async fn death_by_signal_is_128_plus_its_number(room: Room) {
    for signal in [1, 2, 3, 6, 9, 11, 15] {
        let output = room.run(room.probe(&["die", &signal.to_string()])).await;
        assert_eq!(output.status, ExitStatus::Signal(signal));
        assert_eq!(output.status.code(), 128 + signal);
    }
    room.close().await;
}

pub(super) async fn arguments_are_never_interpreted(room: Room) {
    let long = "x".repeat(100_000);
    let arguments: Vec<&[u8]> = vec![
        b"",
        b" ",
        b"two words",
        b"a\nb",
        b"\t\r\x1b[31m",
        b"'single' \"double\" `date`",
        b"$(touch /tmp/interpreted)",
        b"; touch /tmp/interpreted #",
        b"&& touch /tmp/interpreted | cat > /tmp/interpreted",
        b"$HOME ${HOME} ~ * ? [a-z] {a,b}",
        b"--help",
        b"-",
        b"--",
        b"\\ \\n %s %n",
        b"\xff\xfe\x80 not UTF-8",
        "Ünïcödé 日本".as_bytes(),
        long.as_bytes(),
    ];
    let exec = room.probe(&["args"]).args(arguments.iter().map(|bytes| OsStr::from_bytes(bytes)));
    let output = room.run(exec).await;
    let expected: String = arguments.iter().map(|bytes| to_hex(bytes) + "\n").collect();
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    assert!(!room.is_there(User::Node, "/tmp/interpreted").await);
    room.close().await;
}

pub(super) async fn a_missing_program_is_named(room: Room) {
    for missing in ["/opt/nothing-here", "nothing-of-that-name", "./nothing", "/opt/probe/below-a-file"] {
        let error = room.bottle.exec(Exec::new(missing)).await.unwrap_err();
        assert!(matches!(&error, ExecError::NotFound { program, .. } if program == missing), "{missing}: {error}");
    }
    room.close().await;
}

pub(super) async fn what_cannot_be_run_is_no_missing_program(room: Room) {
    room.copy(&Tree::file("no program", 0o644), "/home/node/plain", User::Node).await.unwrap();
    for path in ["/home/node/plain", "/tmp"] {
        let error = room.bottle.exec(Exec::new(path)).await.unwrap_err();
        assert!(matches!(&error, ExecError::NotRunnable { program, .. } if program == path), "{path}: {error}");
    }
    room.close().await;
}

pub(super) async fn impossible_requests_are_refused(room: Room) {
    let mut nothing = Exec::new("x");
    nothing.argv.clear();
    let nul = |bytes: &[u8]| OsString::from(OsStr::from_bytes(bytes));
    let in_argument = room.probe(&["args"]).arg(nul(b"a\0b"));
    let in_value = room.probe(&["env"]).env("NAME", "a\0b");
    for exec in [nothing, in_argument, in_value] {
        let error = room.bottle.exec(exec.clone()).await.unwrap_err();
        assert!(matches!(error, ExecError::Failed { .. }), "{exec:?}: {error}");
    }
    assert_eq!(room.ok(&["args", "usable"]).await, b"757361626c65\n");
    room.close().await;
}

pub(super) async fn programs_are_found_on_the_path_of_their_own_environment(room: Room) {
    let exec = |path: &str| Exec::new("probe").args(["exit", "5"]).env("PATH", path);
    let found = room.bottle.exec(exec("/nowhere:/opt:/tmp")).await.unwrap();
    assert_eq!(found.status, ExitStatus::Code(5));
    let error = room.bottle.exec(exec("/nowhere")).await.unwrap_err();
    assert!(matches!(error, ExecError::NotFound { .. }), "{error}");
    room.close().await;
}

/// Each of the fifty waits for an answer that none gets before all are there.
pub(super) async fn fifty_programs_run_at_once(mut room: Room) {
    let mut programs = JoinSet::new();
    for number in 0..50 {
        let bottle = room.bottle.clone();
        let exec = room.probe(&["connect", Room::PROXY, &format!("question {number}")]);
        programs.spawn(async move { (number, bottle.exec(exec).await) });
    }
    let mut waiting = Vec::new();
    while waiting.len() < 50 {
        waiting.push(room.connection().await.1);
    }
    for mut stream in waiting {
        let mut question = String::new();
        stream.read_to_string(&mut question).await.unwrap();
        stream.write_all(question.replace("question", "answer").as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
    }
    while let Some(ended) = programs.join_next().await {
        let (number, output) = ended.unwrap();
        assert_eq!(output.unwrap().stdout, format!("answer {number}").into_bytes());
    }
    room.close().await;
}
