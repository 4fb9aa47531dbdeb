//! From launch to close.

use bottle::tree::MemorySink;
use bottle::{BottleName, CopyError, ExecError, ExitStatus, LaunchError, OutletError, Stdio, TerminalSize, Tree, User};
use tokio::time::timeout;

use super::room::{ended, guest};
use super::{BOUND, Room};

pub(super) async fn a_bottle_has_its_name_and_what_was_promised(room: Room) {
    let promised = room.harness.backend().check().await.unwrap();
    let (capabilities, name) = (room.bottle.capabilities(), room.bottle.name());
    assert_eq!(
        (capabilities.boundary, capabilities.users, capabilities.transparent),
        (promised.boundary, promised.users, promised.transparent)
    );
    let spec = room.harness.spec(BottleName::parse("exactly-this-name").unwrap());
    let named = room.harness.backend().launch(&spec).await.unwrap().bottle;
    assert_eq!(named.name().as_str(), "exactly-this-name");
    assert_ne!(named.name(), name);
    named.close().await.unwrap();
    room.close().await;
}

pub(super) async fn closing_twice_is_fine(room: Room) {
    let (first, second) = tokio::join!(room.bottle.close(), room.bottle.close());
    first.unwrap();
    second.unwrap();
    room.close().await;
}

pub(super) async fn after_close_everything_is_gone(mut room: Room) {
    room.bottle.close().await.unwrap();
    let gone = |error: ExecError| assert!(matches!(error, ExecError::Gone { .. }), "{error}");
    gone(room.bottle.exec(room.probe(&["exit", "0"])).await.unwrap_err());
    let terminal = Stdio::Terminal(TerminalSize { rows: 24, columns: 80 });
    gone(room.bottle.spawn(room.probe(&["exit", "0"]), terminal).await.unwrap_err());
    let gone = |error: CopyError| assert!(matches!(error, CopyError::Gone { .. }), "{error}");
    gone(room.copy(&Tree::file("x", 0o644), "/tmp/x", User::Node).await.unwrap_err());
    gone(room.bottle.cp_out(&guest("/tmp"), &mut MemorySink::default()).await.unwrap_err());
    let arrival = timeout(BOUND, room.outlet.accept()).await.expect("the outlet says at once that nothing comes");
    assert!(matches!(arrival, Err(OutletError::Gone)), "something arrived from a closed bottle, or it is not said to be gone");
}

pub(super) async fn close_ends_everything_inside(mut room: Room) {
    let output = room.run(room.probe(&["daemon", Room::PROXY])).await;
    assert!(output.status.success());
    let (_, mut daemon) = room.announced().await;
    let mut held = room.spawn(room.probe(&["hold"])).await;
    assert_eq!(held.line().await, "ready");
    let (terminal, mut screen) = room.on_terminal(room.probe(&["hold"]), 24, 80).await;
    screen.expect("ready").await;
    timeout(BOUND, room.bottle.close()).await.expect("closing ends").unwrap();
    ended(&mut daemon).await;
    held.rest().await;
    screen.end().await;
    for process in [&held.process, &terminal] {
        let end = timeout(BOUND, process.control.wait()).await.expect("what is dead has ended");
        assert!(matches!(end, Ok(ExitStatus::Signal(9)) | Err(ExecError::Gone { .. })), "{end:?}");
    }
    room.close().await;
}

pub(super) async fn limits_that_cannot_be_held_are_refused(room: Room) {
    let backend = room.harness.backend();
    let support = backend.check().await.unwrap().limits;
    let spec = room.harness.spec(BottleName::parse("limited").unwrap());
    for limit in ["memory", "cpus", "pids", "disk"] {
        let (mut spec, supported) = (
            spec.clone(),
            match limit {
                "memory" => &support.memory,
                "cpus" => &support.cpus,
                "pids" => &support.pids,
                _disk => &support.disk,
            },
        );
        match limit {
            "memory" => spec.limits.memory = Some(512 << 20),
            "cpus" => spec.limits.cpus = Some(1.0),
            "pids" => spec.limits.pids = Some(500),
            _disk => spec.limits.disk = Some(512 << 20),
        }
        match backend.launch(&spec).await {
            Ok(launched) => {
                assert_eq!(*supported, Ok(()), "limits.{limit} was promised to be refused, and is silently not held");
                launched.bottle.close().await.unwrap();
            }
            Err(LaunchError::Unsupported { what, reason, .. }) => {
                assert!(what.contains(limit) && supported.is_err() && !reason.is_empty(), "{what}: {reason}");
            }
            Err(error @ (LaunchError::Unavailable(_) | LaunchError::Failed { .. })) => panic!("limits.{limit}: {error}"),
        }
    }
    room.close().await;
}

pub(super) async fn running_bottles_are_no_leftovers(room: Room) {
    let backend = room.harness.backend();
    let name = room.bottle.name().clone();
    let leftovers = backend.leftovers().await.unwrap();
    assert!(leftovers.iter().all(|leftover| leftover.bottle != name), "{leftovers:?}");
    room.close().await;
    let leftovers = backend.leftovers().await.unwrap();
    assert!(leftovers.iter().all(|leftover| leftover.bottle != name), "a bottle that was closed leaves nothing: {leftovers:?}");
}
