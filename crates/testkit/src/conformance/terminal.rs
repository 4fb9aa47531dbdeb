//! Programs on a terminal of their own.

use bottle::{ExitStatus, Stdio, TerminalSize, Terminals};
use rustix::event::{PollFd, PollFlags, poll};
use tokio::time::timeout;

use super::{BOUND, Room};

async fn end_of(process: &bottle::Process) -> ExitStatus {
    timeout(BOUND, process.control.wait()).await.expect("the program ends").expect("it has a status")
}

pub(super) async fn a_terminal_has_its_size_and_can_be_resized(room: Room) {
    let (process, mut screen) = room.on_terminal(room.probe(&["size"]), 31, 97).await;
    screen.expect("size 31x97").await;
    for (rows, columns) in [(50, 132), (1, 1), (24, 80)] {
        process.control.resize(TerminalSize { rows, columns }).await.unwrap();
        screen.expect(&format!("size {rows}x{columns}")).await;
    }
    process.control.kill().await.unwrap();
    assert_eq!(end_of(&process).await, ExitStatus::Signal(9));
    room.close().await;
}

pub(super) async fn ctrl_c_interrupts(room: Room) {
    let (process, mut screen) = room.on_terminal(room.probe(&["hold"]), 24, 80).await;
    screen.expect("ready").await;
    screen.type_in(b"\x03");
    assert_eq!(end_of(&process).await, ExitStatus::Signal(2));
    room.close().await;
}

pub(super) async fn raw_mode_passes_every_key(room: Room) {
    let (process, mut screen) = room.on_terminal(room.probe(&["raw"]), 24, 80).await;
    screen.expect("raw\r\n").await;
    for keys in [&b"\x03"[..], b"\x04", b"\x1b", b"\r", b"\n", b"\x7f", b"\xff", b"a"] {
        screen.type_in(keys);
        let expected = format!("{}\r\n", crate::probe::to_hex(keys));
        assert_eq!(screen.expect(&expected).await, expected, "no echo, and nothing but the key");
    }
    screen.type_in(b"q");
    assert_eq!(end_of(&process).await, ExitStatus::Code(0));
    room.close().await;
}

pub(super) async fn a_terminal_edits_lines_and_ends(room: Room) {
    let (process, mut screen) = room.on_terminal(room.probe(&["cat"]), 24, 80).await;
    screen.type_in(b"hello\r");
    screen.expect("hello\r\nhello\r\n").await;
    match room.bottle.capabilities().terminals {
        Terminals::Whole => {}
        Terminals::WithoutLines => {
            process.control.kill().await.unwrap();
            assert_eq!(end_of(&process).await, ExitStatus::Signal(9));
            screen.end().await;
            return room.close().await;
        }
    }
    screen.type_in(b"\x04");
    assert_eq!(end_of(&process).await, ExitStatus::Code(0));
    screen.end().await;
    room.close().await;
}

pub(super) async fn term_is_passed_on(room: Room) {
    let (process, mut screen) = room.on_terminal(room.probe(&["env"]).env("TERM", "xterm-256color"), 24, 80).await;
    screen.expect("TERM=xterm-256color\0").await;
    assert_eq!(end_of(&process).await, ExitStatus::Code(0));
    room.close().await;
}

pub(super) async fn a_terminal_that_is_dropped_hangs_up(room: Room) {
    let size = TerminalSize { rows: 24, columns: 80 };
    let mut process = room.bottle.spawn(room.probe(&["hold"]), Stdio::Terminal(size)).await.unwrap();
    // Not by a screen, whose thread holds a descriptor of its own.
    let terminal = process.terminal.take().unwrap();
    let reading = tokio::task::spawn_blocking(move || {
        let (mut seen, mut buffer) = (Vec::new(), [0; 64]);
        while !seen.windows(5).any(|window| window == b"ready") {
            poll(&mut [PollFd::new(&terminal, PollFlags::IN)], None).unwrap();
            let count = rustix::io::read(&terminal, &mut buffer).unwrap();
            seen.extend_from_slice(&buffer[..count]);
        }
        terminal
    });
    drop(reading.await.unwrap());
    assert_eq!(end_of(&process).await, ExitStatus::Signal(1));
    room.close().await;
}
