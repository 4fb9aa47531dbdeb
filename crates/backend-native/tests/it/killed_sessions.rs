//! SIGKILL of the session at every phase: no process stays, and no mount.
//!
//! Three processes: the test; a *reaper*, to which every process below it falls when its parent dies
//! (`PR_SET_CHILD_SUBREAPER`), so that it can wait until none is left; and the session. The latter two are this very test
//! binary, told by a variable to play their part.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bottle::{Backend, BottleName, BottleSpec, Exec, GuestPath, Limits, RootFs, Tree, User};
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, waitpid};

use crate::backend::backend;

const PART: &str = "BOT_BOTTLE_TEST_PART";
/// Only ends a test that would hang.
const BOUND: Duration = Duration::from_secs(60);

/// When the session is killed.
const PHASES: [&str; 9] = [
    "helper started",
    "user namespace made",
    "ids mapped",
    "init forked",
    "root changed",
    "ready",
    "executing",
    "copying in",
    "copying out",
];

#[test]
fn nothing_is_left_of_a_session_that_is_killed_at_any_phase() {
    let before = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    for phase in PHASES {
        let output = part(&format!("reaper:{phase}")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        if said.contains("no bottles here") {
            return testkit::require("userns", "no bottles here");
        }
        assert!(output.status.success(), "{phase}: {said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains(&format!("nothing is left after {phase:?}")), "{phase}: {said}");
    }
    assert_eq!(std::fs::read_to_string("/proc/self/mountinfo").unwrap(), before);
}

/// This test binary in one of its parts.
#[allow(clippy::disallowed_methods, reason = "the test runs itself")]
fn part(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["killed_sessions::a_part", "--exact", "--ignored", "--nocapture"]).env(PART, name);
    command
}

#[test]
#[ignore = "a part of the test beside it, which starts it"]
#[allow(clippy::disallowed_methods, reason = "the test tells its parts by a variable")]
fn a_part() {
    match std::env::var(PART).as_deref() {
        Ok("session") => session(),
        Ok(part) => reaper(part.strip_prefix("reaper:").unwrap()),
        // Somebody runs all ignored tests.
        Err(_) => {}
    }
}

/// Launches a bottle, leaves a daemon in it, and says where it is until it is killed.
#[tokio::main(flavor = "current_thread")]
async fn session() {
    let Ok(_) = backend().check().await else { return println!("\nno bottles here") };
    let name = BottleName::parse(&format!("killed-{}", std::process::id())).unwrap();
    let limits = Limits::default();
    let launched = backend().launch(&BottleSpec { name, root: RootFs::Default, tools: Vec::new(), limits }).await.unwrap();
    println!("\nready");
    let daemon =
        "trap '' TERM HUP INT; setsid sh -c 'trap \"\" TERM HUP INT; while :; do sleep 1; done' & mkfifo /tmp/fifo; echo started";
    let output = launched.bottle.exec(Exec::new("sh").args(["-c", daemon])).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    println!("\nexecuting");
    let place = GuestPath::parse("/home/node/large").unwrap();
    for _ in 0..1000 {
        println!("\ncopying in");
        launched.bottle.cp_in(&Tree::file(vec![7; 16 << 20], 0o644), &place, User::Node).await.unwrap();
        println!("\ncopying out");
        launched.bottle.cp_out(&place, &mut bottle::tree::MemorySink::default()).await.unwrap();
    }
}

/// Starts a session, kills it at `phase`, and waits until every process that it has ever started is gone.
fn reaper(phase: &str) {
    set_child_subreaper(Some(getpid())).unwrap();
    let mut session = part("session").stdout(Stdio::piped()).spawn().unwrap();
    let reached = match PHASES.iter().position(|known| *known == phase).unwrap() {
        early @ 0..=4 => wait_for_process(&session, early),
        _late => wait_for_line(&mut session, phase),
    };
    if !reached {
        return println!("\nno bottles here");
    }
    let id = Pid::from_child(&session);
    kill_process(id, Signal::KILL).unwrap();
    let status = session.wait().unwrap();
    assert!(!status.success());
    let end = Instant::now() + BOUND;
    loop {
        match waitpid(None, WaitOptions::NOHANG) {
            Err(rustix::io::Errno::CHILD) => break,
            Ok(_) => assert!(Instant::now() < end, "still there: {:?}", below(getpid())),
            Err(error) => panic!("{error}"),
        }
        std::thread::yield_now();
    }
    println!("\nnothing is left after {phase:?}");
}

fn wait_for_line(session: &mut Child, wanted: &str) -> bool {
    let lines = BufReader::new(session.stdout.as_mut().unwrap()).lines();
    for line in lines.map_while(Result::ok) {
        match line.as_str() {
            "no bottles here" => return false,
            line if line == wanted => return true,
            _ => {}
        }
    }
    panic!("the session ended before {wanted:?}");
}

/// Looks at the session's processes until the helper has come so far. A phase that has gone by was reached too.
fn wait_for_process(session: &Child, phase: usize) -> bool {
    let session = Pid::from_child(session);
    let own = |what: &str| std::fs::read_link(format!("/proc/self/{what}")).ok();
    let end = Instant::now() + BOUND;
    while Instant::now() < end {
        let helper = children(session).into_iter().next();
        // The helper ends when it has forked PID 1, which then falls to this process.
        let init = helper
            .and_then(|helper| children(helper).into_iter().next())
            .or_else(|| children(getpid()).into_iter().find(|child| *child != session));
        let process = helper.or(init);
        let reached = match phase {
            0 => process.is_some(),
            1 => process.is_some_and(|process| link(process, "ns/user") != own("ns/user")),
            2 => process.is_some_and(|process| {
                std::fs::read_to_string(at(process, "uid_map"))
                    .map_or(true, |map| !map.is_empty() && link(process, "ns/user") != own("ns/user"))
            }),
            3 => init.is_some(),
            // Once it is closed to looking, its root has long been changed.
            _ => init.is_some_and(|init| {
                std::fs::read_to_string(at(init, "mountinfo")).map_or(true, |table| {
                    !table.contains(" / /boot") && table.contains("lowerdir=/usr,") && !table.contains(" /tmp ")
                })
            }),
        };
        if reached {
            return true;
        }
        // It may have said that there are no bottles here, or gone through all phases between two looks.
        if matches!(waitid_nowait(session), Some(())) {
            return false;
        }
    }
    panic!("the session never came so far");
}

fn waitid_nowait(process: Pid) -> Option<()> {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(process), options).ok().flatten().map(drop)
}

fn at(process: Pid, what: &str) -> String {
    format!("/proc/{}/{what}", process.as_raw_nonzero())
}

fn link(process: Pid, what: &str) -> Option<std::path::PathBuf> {
    std::fs::read_link(at(process, what)).ok()
}

fn children(parent: Pid) -> Vec<Pid> {
    let processes =
        std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    processes.filter_map(Pid::from_raw).filter(|process| parent_of(*process) == Some(parent)).collect()
}

fn parent_of(process: Pid) -> Option<Pid> {
    let stat = std::fs::read_to_string(Path::new(&at(process, "stat"))).ok()?;
    let rest = stat.rsplit_once(')')?.1;
    Pid::from_raw(rest.split_whitespace().nth(1)?.parse().ok()?)
}

fn below(parent: Pid) -> Vec<(Pid, String)> {
    let name = |process: Pid| std::fs::read_to_string(at(process, "comm")).unwrap_or_default();
    children(parent).into_iter().flat_map(|child| below(child).into_iter().chain([(child, name(child))])).collect()
}
