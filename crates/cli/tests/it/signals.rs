use rustix::process::Signal;

use crate::elsewhere::{containers, freeze, has_own_kernel, is_native, is_relay, only_native, running};
use crate::scene::{SHELL, Scene, exists, wait_until};
use crate::terminal::Terminal;
use crate::traces::Traces;

/// The signals after which nothing may be left, and the one after which `cleanup` is needed.
const SIGNALS: [Signal; 4] = [Signal::INT, Signal::TERM, Signal::HUP, Signal::KILL];

/// Signals that mean nothing here, and kill whoever does not hear them.
const OTHERS: [Signal; 3] = [Signal::USR1, Signal::ALARM, Signal::POWER];

/// While an agent runs, a hang-up is the end only when our terminal is what hung up; else the policy is read anew.
const WHILE_RUNNING: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::KILL];

/// Ends on an interrupt, should the signal come so late that it runs already: the first interrupt is the agent's. A shell would
/// wait for its child, which is told nothing.
const AGENT: &str = "exec sleep 1000";

/// A scene whose bottle has cgroups of its own where this machine lets it; a label that no other test has; what was before.
fn begin(phase: &str, signal: Signal) -> (Scene, String, Traces) {
    let scene = Scene::bare().bottle("b", SHELL).bottle("limited", "extends: b\nlimits:\n  pids: 200\n").agent(
        "a",
        "bottle: limited\n",
        "",
    );
    let limited = scene.run(&["start", "a", "--dry-run", "--headless"]).code == 0;
    let scene = if limited { scene } else { scene.agent("a", "bottle: b\n", "") };
    let label = format!("{phase}-{}-{}", signal.as_raw(), std::process::id());
    let traces = Traces::before(&label);
    (scene, label, traces)
}

/// After the end of the session's process.
fn check(phase: &str, signal: Signal, code: Option<i32>, scene: &Scene, traces: &Traces) {
    let context = format!("{signal:?} while {phase}");
    if signal == Signal::KILL {
        assert_eq!(code, None, "{context}");
        traces.assert_none_after_cleanup(scene, &context);
    } else {
        assert_eq!(code, Some(128 + signal.as_raw()), "{context}");
        traces.assert_none(scene, &context);
    }
}

#[test]
fn at_the_question() {
    for signal in SIGNALS {
        let (scene, label, traces) = begin("asking", signal);
        let mut terminal = Terminal::run(&scene, &["start", "a", "--label", &label]);
        terminal.until("[y/N]");
        terminal.signal(signal);
        let code = if signal == Signal::KILL { terminal.end_of_killed() } else { terminal.end().0 };
        check("asking", signal, code, &scene, &traces);
    }
}

#[test]
fn while_the_bottle_is_made() {
    for signal in SIGNALS {
        // The earliest a signal can be heard is not visible from outside, so moments are spread over the launch by the signs
        // that it gives.
        for sign in ["state", "metadata.json", "control.sock", "helper"] {
            let (scene, label, traces) = begin("launching", signal);
            let state = scene.path("home/.bot-bottle/state");
            let live = scene.begin(&label, &[], AGENT);
            wait_until("the phase's sign appears", || match sign {
                "state" => exists(&state),
                "helper" => traces.helper_runs(),
                file => exists(&state.join(&label).join(file)),
            });
            live.signal(signal);
            check(sign, signal, live.end().0, &scene, &traces);
        }
    }
}

#[test]
fn while_a_workspace_is_copied() {
    for signal in SIGNALS {
        let (scene, label, traces) = begin("copying", signal);
        // Holes travel as zeros: large for the copy, nothing on this disk.
        std::fs::File::create(scene.path("project/large")).unwrap().set_len(400 << 20).unwrap();
        let mut live = scene.begin(&label, &["--cwd"], AGENT);
        live.until_it_says("copying workspace");
        live.signal(signal);
        check("copying", signal, live.end().0, &scene, &traces);
    }
}

#[test]
fn while_the_agent_runs_without_a_terminal() {
    for signal in WHILE_RUNNING {
        let (scene, label, traces) = begin("running", signal);
        // What the agent ignores cannot keep it; the first interrupt is the agent's own affair, see below.
        let mut live = scene.begin(&label, &[], "trap '' HUP TERM; (sleep 1000 & sleep 1000 &); echo ready; exec sleep 1000");
        assert_eq!(live.line(), "ready");
        live.signal(signal);
        check("running", signal, live.end().0, &scene, &traces);
    }
}

#[test]
fn while_the_agent_runs_on_a_terminal() {
    for signal in WHILE_RUNNING {
        let (scene, label, traces) = begin("on-tty", signal);
        let script = "trap '' HUP TERM INT; stty raw -echo; echo ready; sleep 1000";
        let mut terminal = Terminal::run(&scene, &["start", "a", "--yes", "--label", &label, "--", "sh", "-c", script]);
        terminal.until("\nready");
        terminal.signal(signal);
        let code = if signal == Signal::KILL { terminal.end_of_killed() } else { terminal.end().0 };
        check("running on a terminal", signal, code, &scene, &traces);
    }
}

#[test]
fn signals_that_mean_nothing_leave_neither_terminal_nor_state() {
    for signal in OTHERS {
        let (scene, label, traces) = begin("unmeant", signal);
        let script = "stty raw -echo; echo ready; sleep 1000";
        let mut terminal = Terminal::run(&scene, &["start", "a", "--yes", "--label", &label, "--", "sh", "-c", script]);
        terminal.until("\nready");
        terminal.signal(signal);
        let (code, screen) = terminal.end();
        assert!(screen.contains(&format!("ended by signal {}", signal.as_raw())), "{screen}");
        check("unmeant", signal, code, &scene, &traces);
    }
}

#[test]
fn a_terminal_that_hangs_up_ends_the_session() {
    let (scene, label, traces) = begin("hung-up", Signal::HUP);
    let script = "trap '' HUP TERM INT; stty raw -echo; echo ready; sleep 1000";
    let mut terminal = Terminal::run(&scene, &["start", "a", "--yes", "--label", &label, "--", "sh", "-c", script]);
    terminal.until("\nready");
    let code = terminal.end_of_hung_up();
    check("hung up", Signal::HUP, code, &scene, &traces);
}

#[test]
fn a_hang_up_that_is_no_terminals_end_has_the_policy_read_anew() {
    let scene = Scene::new();
    let mut live = scene.live("echo ready; read line; echo ended");
    live.signal(Signal::HUP);
    // Whether it was read is told at the end; that it still runs, now.
    let ran = scene.run(&["policy", "reload", "s"]);
    assert!(ran.code == 0 && ran.stderr.contains("goes by 0 rules now"), "{ran:?}");
    live.close_stdin();
    assert_eq!(live.line(), "ended");
    let (code, stderr) = live.end();
    assert_eq!(code, Some(0));
    assert!(stderr.contains("the policy was read anew while it ran: 0 rules"), "{stderr}");
}

#[test]
fn while_the_bottle_is_closed() {
    for signal in SIGNALS {
        // How far the closing has got cannot be seen from outside, so this may come before it or after: its many processes make
        // it long, and the moments vary. In the session's own tests a stop comes when the closing has begun and not ended.
        for moment in 0..4u32 {
            let (scene, label, traces) = begin("closing", signal);
            let script = "for i in $(seq 100); do sleep 1000 & done; echo bye";
            let mut live = scene.begin(&label, &[], script);
            assert_eq!(live.line(), "bye");
            for _ in 0..moment * 50 {
                std::thread::yield_now();
            }
            // It may have ended already, and is then a zombie that takes every signal.
            live.signal(signal);
            let context = format!("{signal:?} while closing");
            match live.end() {
                // gVisor ends a hundred processes slowly, in more than the 30 s that a session gives it, or the 3 s of one that is told
                // twice to end: then it says what to do about the rest.
                (Some(125), stderr)
                    if has_own_kernel()
                        && ["3 s", "30 s"].iter().any(|limit| {
                            stderr.contains(&format!("it took longer than {limit}\nhint: run 'bot-bottle cleanup'"))
                        }) =>
                {
                    traces.assert_none_after_cleanup(&scene, &context);
                }
                (Some(code), stderr) => {
                    assert!(code == 0 || code == 128 + signal.as_raw(), "{context}: {code}: {stderr}");
                    traces.assert_none(&scene, &context);
                }
                (None, _) => traces.assert_none_after_cleanup(&scene, &context),
            }
        }
    }
}

#[test]
fn a_bottle_with_limits_has_cgroups_while_it_runs() {
    if !only_native("an engine has its own cgroups") {
        return;
    }
    let (scene, label, traces) = begin("limited", Signal::TERM);
    if !scene.run(&["info", "a"]).stdout.contains("pids 200") {
        return testkit::require("cgroup", "limits cannot be held here");
    }
    let mut live = scene.begin(&label, &[], "echo ready; sleep 1000");
    assert_eq!(live.line(), "ready");
    assert!(traces.helper_runs() && !traces.cgroups().is_empty());
    live.signal(Signal::KILL);
    live.end();
    traces.assert_none_after_cleanup(&scene, "with limits");
}

/// Were its first process to hang, so that it does not see its session's end.
#[test]
fn a_container_that_outlives_its_killed_session_has_no_way_out_and_cleanup_removes_it() {
    if is_native() {
        return;
    }
    let (scene, label, traces) = begin("outlived", Signal::KILL);
    let mut live = scene.begin(&label, &[], "echo ready; exec sleep 1000");
    assert_eq!(live.line(), "ready");
    let all = containers(&label);
    let (relay, bottle): (Vec<_>, Vec<_>) = all.iter().partition(|container| is_relay(container));
    assert_eq!((relay.len(), bottle.len()), (usize::from(!has_own_kernel()), 1));
    freeze(bottle[0]);
    live.signal(Signal::KILL);
    live.end();
    // Nobody listens behind the socket any more, and the relay, where it has a container of its own, has ended.
    wait_until("the relay ends", || !running(&label).iter().any(|container| relay.contains(&container)));
    assert_eq!(running(&label).into_iter().collect::<Vec<_>>(), [bottle[0].clone()]);
    let ran = scene.run(&["cleanup"]);
    assert!(ran.code == 2 && ran.stderr.contains(&format!("container bot-bottle-{label}-")), "{ran:?}");
    traces_after_cleanup(&scene, &traces, &label);
}

fn traces_after_cleanup(scene: &Scene, traces: &Traces, label: &str) {
    let ran = scene.run(&["cleanup", "--yes"]);
    assert!(ran.code == 0 && ran.stderr.contains(&format!("removed container bot-bottle-{label}-")), "{ran:?}");
    traces.assert_none(scene, "after cleanup");
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
    assert!(
        ran.code == 125 && ran.stderr.contains("session s is dead") && ran.stderr.contains("hint: run 'bot-bottle cleanup'"),
        "{ran:?}"
    );

    let ran = scene.run(&["cleanup"]);
    assert!(ran.code == 2 && ran.stderr.contains("state of s") && ran.stderr.contains("--yes"), "{ran:?}");
    let ran = scene.run(&["cleanup", "--yes"]);
    assert!(ran.code == 0 && ran.stderr.contains("removed the state of s"), "{ran:?}");
    scene.assert_nothing_left();
}
