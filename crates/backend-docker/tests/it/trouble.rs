//! An engine that is stopped in the middle of a session, and one whose disk is full: clear errors, nothing lost, nothing open.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bottle::{Backend, BottleName, BottleSpec, CopyError, Exec, ExecError, GuestPath, Limits, RootFs, Stdio, Tree, User};
use rustix::process::Signal;
use testkit::escape::Subject;

use crate::own_engine::OwnEngine;

fn spec(name: &str) -> BottleSpec {
    BottleSpec { name: BottleName::parse(name).unwrap(), root: RootFs::Default, tools: Vec::new(), limits: Limits::default() }
}

/// Ends a test that would hang.
const BOUND: Duration = Duration::from_secs(60);

async fn in_time<T>(what: &str, done: impl Future<Output = T>) -> T {
    tokio::time::timeout(BOUND, done).await.unwrap_or_else(|_| panic!("{what} takes for ever"))
}

/// An error with all that is under it.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(reason) = inner {
        text = format!("{text}: {reason}");
        inner = reason.source();
    }
    text
}

#[tokio::test]
async fn an_engine_that_is_stopped_in_the_middle_leaves_nothing_that_runs() {
    let Some(mut engine) = OwnEngine::start(None) else { return };
    for signal in [Signal::TERM, Signal::KILL] {
        let mut bottles = Vec::new();
        for runtime in engine.runtimes() {
            let subject = Subject::new(engine.backend(runtime).launch(&spec(runtime)).await.unwrap());
            let program = Exec::new("sleep").arg("1000");
            bottles.push((subject.bottle.spawn(program, null()).await.unwrap(), subject));
        }
        let containers = engine.containers();
        assert!(processes_in(&containers).len() >= containers.len(), "they run");
        engine.stop(signal);

        for (program, subject) in bottles {
            // Whoever waits for a program is told, and so is whoever wants the next one, or a file in it.
            let ended = in_time("the program's end", program.control.wait()).await.unwrap_err();
            assert!(matches!(ended, ExecError::Gone { .. } | ExecError::Ended { .. }), "{ended}");
            let next = in_time("the next program", subject.bottle.exec(Exec::new("true"))).await.unwrap_err();
            assert!(matches!(next, ExecError::Gone { .. } | ExecError::Ended { .. }), "{next}");
            let home = GuestPath::parse("/home/node/file").unwrap();
            let file = Tree::file("new", 0o644);
            let copied = in_time("a copy", subject.bottle.cp_in(&file, &home, User::Node)).await.unwrap_err();
            assert!(matches!(copied, CopyError::Gone { .. } | CopyError::Ended { .. }), "{copied}");
            // What it has on the host goes all the same; what cannot be asked for is named.
            let closed = whole(&in_time("closing", subject.bottle.close()).await.unwrap_err());
            assert!(closed.contains("container bot-bottle-") && closed.contains("the engine does not answer"), "{closed}");
        }
        // An engine that is told to stop ends them. One that is killed leaves them to the shims, which keep their streams open: they have
        // no way out, and are ended by the engine that is started next.
        let ended = async || match signal {
            Signal::TERM => processes_in(&containers).is_empty(),
            _killed => !processes_in(&containers).iter().any(|process| is_the_relay(process)),
        };
        testkit::wait_until("what must end without the engine", BOUND, ended).await;

        engine.start_again();
        testkit::wait_until("the bottles' processes end", BOUND, async || processes_in(&containers).is_empty()).await;
        let backend = engine.backend("runc");
        for leftover in backend.leftovers().await.unwrap() {
            backend.remove(&leftover).await.unwrap();
        }
        assert_eq!(engine.containers(), Vec::<String>::new(), "after {signal:?}");
    }
}

/// What the tests' image takes, and some more.
const ROOM: u64 = 640 << 20;

/// On the host's kernel. gVisor's older ones keep what is written in their memory and tell no program that the disk is full; what
/// bounds that is `limits.memory`.
#[tokio::test]
async fn a_disk_that_a_bottle_has_filled_is_told_and_the_next_bottle_has_it_back() {
    let Some(engine) = OwnEngine::start(Some(ROOM)) else { return };
    let fill = r#"
def fill():
    with open("/tmp/hog", "wb", buffering=0) as file:
        while True:
            file.write(b"x" * (1 << 20))
refused("filling the disk", fill, (errno.ENOSPC, errno.EDQUOT))
"#;
    let backend = engine.backend("runc");
    let subject = Subject::new(backend.launch(&spec("full")).await.unwrap());
    subject.attack_as(User::Root, fill, &[]).await;
    // Programs run, copies say what is wrong.
    subject.assert_usable().await;
    let file = GuestPath::parse("/home/node/file").unwrap();
    let copied = subject.bottle.cp_in(&Tree::file(vec![b'x'; 1 << 20], 0o644), &file, User::Node).await;
    let copied = whole(&copied.expect_err("there is no room"));
    assert!(copied.contains("/home/node/file") && copied.contains("No space left on device"), "{copied}");
    // The next bottle cannot be made, or can: what is left of its own is nothing.
    let before = engine.containers();
    match backend.launch(&spec("next")).await {
        Ok(launched) => launched.bottle.close().await.unwrap(),
        Err(error) => assert!(whole(&error).contains("no space left on device"), "{}", whole(&error)),
    }
    assert_eq!(engine.containers(), before);
    subject.bottle.close().await.unwrap();

    let next = Subject::new(backend.launch(&spec("next")).await.unwrap());
    next.bottle.cp_in(&Tree::file(vec![b'x'; 1 << 20], 0o644), &file, User::Node).await.unwrap();
    next.bottle.close().await.unwrap();
    assert_eq!(engine.containers(), Vec::<String>::new());
}

fn null() -> Stdio {
    let open = || std::fs::File::options().read(true).write(true).open("/dev/null").unwrap().into();
    Stdio::Streams { stdin: open(), stdout: open(), stderr: open() }
}

/// The host's ids of the processes in these containers, by their control groups.
fn processes_in(containers: &[String]) -> Vec<PathBuf> {
    let is_in = |process: &PathBuf| {
        let groups = std::fs::read_to_string(process.join("cgroup")).unwrap_or_default();
        containers.iter().any(|container| groups.contains(container.as_str()))
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    processes.filter(is_in).collect()
}

fn is_the_relay(process: &Path) -> bool {
    std::fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim() == "relay")
}
