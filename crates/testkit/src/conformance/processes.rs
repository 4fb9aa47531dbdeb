//! Processes and what they leave behind. That a process lives or is dead is seen by a stream it holds: never by waiting.

use std::time::Duration;

use bottle::{ExecError, ExitStatus, Signal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Room;
use super::room::ended;

const TREE: [&str; 4] = ["child", "daemon", "grandchild", "main"];

pub(super) async fn a_deadline_kills_the_whole_tree(mut room: Room) {
    let mut deadline = Duration::from_secs(2);
    loop {
        let exec = room.probe(&["tree", Room::PROXY]).deadline(deadline);
        let bottle = room.bottle.clone();
        let (error, announced) = {
            let mut announced = Vec::new();
            let run = bottle.exec(exec);
            tokio::pin!(run);
            let error = loop {
                tokio::select! {
                    ended = &mut run => break ended.expect_err("the deadline has passed"),
                    process = room.announced() => announced.push(process),
                }
            };
            (error, announced)
        };
        assert!(matches!(error, ExecError::Deadline { after, .. } if after == deadline), "{error}");
        let complete = announced.len() == TREE.len();
        let mut names = Vec::new();
        for (name, mut stream) in announced {
            ended(&mut stream).await;
            names.push(name);
        }
        names.sort_unstable();
        if complete {
            assert_eq!(names, TREE);
            break;
        }
        // The machine was too slow to start them all before the deadline: that proves nothing.
        deadline *= 2;
    }
    assert!(room.ok(&["exit", "0"]).await.is_empty(), "the bottle itself goes on");
    room.close().await;
}

pub(super) async fn a_deadline_holds_for_spawned_programs(room: Room) {
    let mut program = room.spawn(room.probe(&["tree"]).deadline(Duration::from_secs(2))).await;
    let error = program.end().await.unwrap_err();
    assert!(matches!(error, ExecError::Deadline { .. }), "{error}");
    program.rest().await;
    room.close().await;
}

/// Whether the program has begun by then is a race that both sides win now and then: the answer is the same.
pub(super) async fn a_deadline_may_pass_before_the_program_begins(room: Room) {
    for milliseconds in [0, 1, 1, 2, 4, 8, 16] {
        let deadline = Duration::from_millis(milliseconds);
        let error = room.bottle.exec(room.probe(&["tree"]).deadline(deadline)).await.unwrap_err();
        assert!(matches!(error, ExecError::Deadline { after, .. } if after == deadline), "{deadline:?}: {error:?}");
    }
    assert!(room.ok(&["exit", "0"]).await.is_empty(), "the bottle itself goes on");
    room.close().await;
}

pub(super) async fn kill_ends_daemons_too(room: Room) {
    let mut program = room.spawn(room.probe(&["tree"])).await;
    let mut names = Vec::new();
    for _ in TREE {
        names.push(program.line().await);
    }
    names.sort_unstable();
    assert_eq!(names, TREE);
    program.process.control.kill().await.unwrap();
    assert_eq!(program.rest().await, b"", "the stream ends because nobody is left to hold it");
    assert_eq!(program.end().await.unwrap(), ExitStatus::Signal(9));
    room.close().await;
}

pub(super) async fn exec_ends_although_a_daemon_holds_its_streams(mut room: Room) {
    let output = room.run(room.probe(&["daemon", Room::PROXY])).await;
    assert_eq!(output.status, ExitStatus::Code(0));
    let (name, _stream) = room.announced().await;
    assert_eq!(name, "daemon");
    room.close().await;
}

pub(super) async fn an_exec_that_is_given_up_leaves_no_program(mut room: Room) {
    let bottle = room.bottle.clone();
    let mut announced = Vec::new();
    {
        let run = bottle.exec(room.probe(&["tree", Room::PROXY]));
        tokio::pin!(run);
        while announced.len() < TREE.len() {
            tokio::select! {
                ended = &mut run => panic!("the tree ended by itself: {ended:?}"),
                process = room.announced() => announced.push(process),
            }
        }
    }
    for (_, mut stream) in announced {
        ended(&mut stream).await;
    }
    room.close().await;
}

pub(super) async fn a_program_outlives_its_dropped_handle(mut room: Room) {
    let program = room.spawn(room.probe(&["connect", Room::PROXY, "still here?"])).await;
    let (_, mut stream) = room.connection().await;
    let super::Spawned { process, mut stdout, .. } = program;
    drop(process);
    room.ok(&["exit", "0"]).await;
    let mut question = String::new();
    stream.read_to_string(&mut question).await.unwrap();
    stream.write_all(b"go on").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!((question.as_str(), ended(&mut stdout).await.as_slice()), ("still here?", &b"go on"[..]));
    room.close().await;
}

pub(super) async fn signals_reach_the_program(room: Room) {
    for signal in [Signal::Hangup, Signal::Interrupt, Signal::Terminate] {
        let mut program = room.spawn(room.probe(&["trap", &signal.number().to_string()])).await;
        assert_eq!(program.line().await, "ready");
        program.process.control.signal(signal).await.unwrap();
        assert_eq!(program.line().await, format!("caught {}", signal.number()));
        assert_eq!(program.end().await.unwrap(), ExitStatus::Code(0));
        program.process.control.signal(signal).await.expect("nothing happens to what has ended");
    }
    for signal in [Signal::Terminate, Signal::Quit, Signal::Kill] {
        let mut program = room.spawn(room.probe(&["hold"])).await;
        assert_eq!(program.line().await, "ready");
        program.process.control.signal(signal).await.unwrap();
        assert_eq!(program.end().await.unwrap(), ExitStatus::Signal(signal.number()));
    }
    room.close().await;
}

pub(super) async fn the_end_can_be_waited_for_twice(room: Room) {
    let program = room.spawn(room.probe(&["exit", "9"])).await;
    let control = &program.process.control;
    let (first, second) = tokio::join!(control.wait(), control.wait());
    for end in [first, second, control.wait().await] {
        assert_eq!(end.unwrap(), ExitStatus::Code(9));
    }
    room.close().await;
}
