//! Standard streams.

use bottle::ExitStatus;
use tokio::io::AsyncWriteExt;

use super::Room;
use super::room::ended;
use crate::probe::pattern;

const MEGABYTES_20: usize = 20 * 1024 * 1024;

pub(super) async fn stdout_and_stderr_stay_apart(room: Room) {
    let output = room.run(room.probe(&["emit", "100", "70"])).await;
    assert_eq!((output.stdout, output.stderr), (pattern(1, 100), pattern(2, 70)));
    let output = room.run(room.probe(&["emit", "0", "5"])).await;
    assert_eq!((output.stdout, output.stderr), (Vec::new(), pattern(2, 5)));
    room.close().await;
}

pub(super) async fn twenty_megabytes_come_out_intact(room: Room) {
    let length = MEGABYTES_20.to_string();
    let output = room.run(room.probe(&["emit", &length, &length])).await;
    // Not assert_eq: nobody wants to read the difference.
    assert!(output.stdout == pattern(1, MEGABYTES_20), "stdout: {} bytes", output.stdout.len());
    assert!(output.stderr == pattern(2, MEGABYTES_20), "stderr: {} bytes", output.stderr.len());
    room.close().await;
}

pub(super) async fn twenty_megabytes_go_in_intact(room: Room) {
    let bytes = pattern(3, MEGABYTES_20);
    let output = room.run(room.probe(&["cat"]).stdin(bytes.clone())).await;
    assert!(output.stdout == bytes, "{} bytes came back", output.stdout.len());
    assert!(output.status.success());
    room.close().await;
}

pub(super) async fn stdin_that_nobody_reads_is_no_error(room: Room) {
    let output = room.run(room.probe(&["exit", "3"]).stdin(pattern(3, MEGABYTES_20))).await;
    assert_eq!(output.status, ExitStatus::Code(3));
    room.close().await;
}

pub(super) async fn empty_stdin_ends_at_once(room: Room) {
    assert_eq!(room.ok(&["cat"]).await, b"");
    room.close().await;
}

pub(super) async fn spawned_streams_are_the_callers_own(room: Room) {
    let mut cat = room.spawn(room.probe(&["cat"])).await;
    let stdin = cat.stdin.as_mut().unwrap();
    stdin.write_all(b"one\n").await.unwrap();
    assert_eq!(cat.line().await, "one");
    cat.stdin.as_mut().unwrap().write_all(b"two").await.unwrap();
    drop(cat.stdin.take());
    assert_eq!(cat.rest().await, b"two");
    assert_eq!(ended(&mut cat.stderr).await, b"");
    assert_eq!(cat.end().await.unwrap(), ExitStatus::Code(0));
    room.close().await;
}

pub(super) async fn output_without_end_is_cut_and_its_program_killed(room: Room) {
    let length = (4 * bottle::Output::MOST).to_string();
    let error = room.bottle.exec(room.probe(&["emit", &length, "0"])).await.unwrap_err();
    assert!(matches!(error, bottle::ExecError::TooMuchOutput { most, .. } if most == bottle::Output::MOST), "{error}");
    assert!(room.ok(&["exit", "0"]).await.is_empty(), "the bottle itself goes on");
    room.close().await;
}
