use rustix::process::Signal;

use crate::scene::{Scene, wait_until};

#[test]
fn terminate_and_hangup_end_the_session_and_leave_nothing() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let scene = Scene::new();
        let live = scene.live("trap '' HUP TERM; echo ready; sleep 1000");
        live.signal(signal);
        let (status, stderr) = live.end();
        assert_eq!(status, Some(code), "{stderr}");
        scene.assert_nothing_left();
    }
}

#[test]
fn the_first_interrupt_is_the_agents_the_second_ends_the_session() {
    let scene = Scene::new();
    let mut live = scene.live("trap 'echo caught' INT; echo ready; while :; do sleep 0.05; done");
    live.signal(Signal::INT);
    assert_eq!(live.line(), "caught");
    live.signal(Signal::INT);
    assert_eq!(live.end().0, Some(130));
    scene.assert_nothing_left();
}

#[test]
fn an_agent_that_ends_on_the_interrupt_gives_its_own_status() {
    let scene = Scene::new();
    let live = scene.live("trap 'exit 9' INT; echo ready; while :; do sleep 0.05; done");
    live.signal(Signal::INT);
    assert_eq!(live.end().0, Some(9));
    scene.assert_nothing_left();
}

#[test]
fn what_a_killed_session_leaves_is_seen_dead_at_once_and_cleanup_removes_it() {
    let scene = Scene::new();
    let live = scene.live("echo ready; sleep 1000");
    live.signal(Signal::KILL);
    assert_eq!(live.end().0, None);
    // The kernel lets go of the lock with the process, at the latest when its last thread is gone.
    wait_until("the session is seen dead", || scene.run(&["list", "active"]).stdout.is_empty());
    let ran = scene.run(&["exec", "s", "--", "true"]);
    assert!(ran.code == 125 && ran.stderr.contains("no session named s"), "{ran:?}");

    let ran = scene.run(&["cleanup"]);
    assert!(ran.code == 2 && ran.stderr.contains("state of s") && ran.stderr.contains("--yes"), "{ran:?}");
    let ran = scene.run(&["cleanup", "--yes"]);
    assert!(ran.code == 0 && ran.stderr.contains("removed the state of s"), "{ran:?}");
    scene.assert_nothing_left();
}

#[test]
fn a_signal_at_any_moment_of_the_launch_leaves_nothing() {
    // The earliest a signal can be heard is not visible from outside, so moments are spread over the launch by counting how
    // often this loop can poll for a sign of each phase.
    for sign in ["state", "state/s", "state/s/metadata.json", "state/s/control.sock"] {
        let scene = Scene::new();
        let sign = scene.path("home/.bot-bottle").join(sign);
        let mut command = std::process::Command::new(crate::scene::PROGRAM);
        scene.set_up(&mut command);
        let null = std::process::Stdio::null;
        command.args(["start", "a", "--headless", "--yes", "--label", "s", "--", "sleep", "1000"]);
        let mut child = command.stdin(null()).stdout(null()).stderr(null()).spawn().unwrap();
        wait_until("the phase's sign appears", || crate::scene::exists(&sign));
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(143), "{}", sign.display());
        scene.assert_nothing_left();
    }
}
