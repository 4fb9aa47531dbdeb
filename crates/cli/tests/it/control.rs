use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::scene::{PROGRAM, Scene, wait_until};

#[test]
fn exec_passes_streams_status_user_and_the_bottles_environment() {
    let scene = Scene::bare().bottle("b", &format!("{}env:\n  X: set\n", crate::scene::SHELL)).agent("a", "bottle: b\n", "");
    let live = scene.live("echo ready; sleep 1000");
    let ran = scene.run_with(&["exec", "s", "--", "sh", "-c", "cat; echo $X; id -un; echo err >&2; exit 3"], b"in\n");
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (3, "in\nset\nnode\n", "err\n"));
    assert_eq!(scene.run(&["exec", "s", "--user", "root", "--", "id", "-u"]).stdout, "0\n");
    assert_eq!(scene.run(&["exec", "s", "--", "printf", "%s|", "a b", "$(id)", ";"]).stdout, "a b|$(id)|;|");
    let ran = scene.run(&["exec", "s", "--", "no-such-program"]);
    assert!(ran.code == 125 && ran.stderr.contains("no program \"no-such-program\""), "{ran:?}");
    drop(live);
}

#[test]
fn what_exec_writes_last_arrives_though_a_child_keeps_the_stream_open() {
    let scene = Scene::new();
    let live = scene.live("echo ready; sleep 1000");
    let ran = scene.run(&["exec", "s", "--", "sh", "-c", "sleep 1000 & echo done"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "done\n"));
    drop(live);
}

#[test]
fn a_program_ends_with_the_client_that_wanted_it() {
    let scene = Scene::new();
    let live = scene.live("echo ready; sleep 1000");
    let mut command = Command::new(PROGRAM.as_str());
    scene.set_up(&mut command);
    command.args(["exec", "s", "--", "sh", "-c", "touch ~/runs; trap '' HUP PIPE TERM; while :; do sleep 0.05; done"]);
    let mut client = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let runs = || scene.run(&["exec", "s", "--", "sh", "-c", "grep -l 'touch ~/[r]uns' /proc/[0-9]*/cmdline"]).code == 0;
    wait_until("the program runs", runs);
    client.kill().unwrap();
    client.wait().unwrap();
    wait_until("the program has ended", || !runs());
    drop(live);
}

#[test]
fn stop_ends_one_session_or_all_and_waits_for_their_end() {
    let scene = Scene::new();
    let live = scene.live("echo ready; sleep 1000");
    let ran = scene.run(&["stop", "nobody"]);
    assert!(ran.code == 125 && ran.stderr.contains("hint: running: s"), "{ran:?}");
    // Named twice, it is stopped once.
    let ran = scene.run(&["stop", "s", "s"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, "stopped s\n"));
    scene.assert_nothing_left();
    let (status, stderr) = live.end();
    assert_eq!(status, Some(143));
    assert!(stderr.contains("ended by 'bot-bottle stop'"), "{stderr}");

    let live = scene.live("echo ready; sleep 1000");
    assert_eq!(scene.run(&["stop", "--all"]).code, 0);
    assert_eq!(live.end().0, Some(143));
    assert_eq!(scene.run(&["stop", "--all"]).stderr, "no session is running\n");
}

#[test]
fn what_runs_in_a_session_that_ends_is_told_why() {
    let scene = Scene::new();
    let agent = "echo ready; until [ -e ~/enough ]; do sleep 0.1; done";
    type End<'a> = &'a dyn Fn(&crate::scene::Live);
    let stop: End<'_> = &|_| assert_eq!(scene.run(&["stop", "s"]).code, 0);
    let terminate: End<'_> = &|live| live.signal(Signal::TERM);
    let agent_ends: End<'_> = &|_| drop(scene.run(&["exec", "s", "--", "sh", "-c", "touch ~/enough"]));
    for (end, why) in [(stop, "was stopped"), (terminate, "was ended by a signal"), (agent_ends, "ended with its agent")] {
        let live = scene.live(agent);
        let mut command = Command::new(PROGRAM.as_str());
        scene.set_up(&mut command);
        command.args(["exec", "s", "--", "sh", "-c", "echo runs; exec sleep 1000"]).stdin(Stdio::null());
        let mut exec = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut runs = [0; 5];
        exec.stdout.as_mut().unwrap().read_exact(&mut runs).unwrap();
        end(&live);
        let ran = crate::scene::Ran::of_child(exec);
        assert_eq!(ran.code, 125, "{ran:?}");
        assert_eq!(ran.stderr, format!("error: session s {why}, and with it what ran there\n"));
        live.end();
    }
}

#[test]
fn a_home_with_a_very_long_path_works() {
    let long = format!("home/{}/{}", "x".repeat(120), "y".repeat(120));
    let scene = Scene::new();
    let home = scene.path(&long);
    let scene = scene.env("BOT_BOTTLE_HOME", home.to_str().unwrap());
    std::fs::create_dir_all(home.parent().unwrap()).unwrap();
    std::fs::rename(scene.path("home/.bot-bottle"), &home).unwrap();
    let live = scene.live("echo ready; sleep 1000");
    assert_eq!(scene.run(&["exec", "s", "--", "true"]).code, 0);
    live.signal(Signal::TERM);
    assert_eq!(live.end().0, Some(143));
}

#[test]
fn active_sessions_are_listed() {
    let scene = Scene::new();
    assert_eq!(scene.run(&["list", "active", "--json"]).stdout, "[]\n");
    let live = scene.live("echo ready; sleep 1000");
    let listed: serde_json::Value = serde_json::from_str(&scene.run(&["list", "active", "--json"]).stdout).unwrap();
    assert_eq!((&listed[0]["identity"], &listed[0]["agent"], &listed[0]["bottles"][0]), (&"s".into(), &"a".into(), &"b".into()));
    assert!(scene.run(&["list", "active"]).stdout.contains("\ns         a"));
    drop(live);
}

#[test]
fn a_session_whose_words_nobody_reads_is_stopped_all_the_same() {
    let scene = Scene::new();
    let (unread, words) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&words, true).unwrap();
    while (&words).write(&[0; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(&words, false).unwrap();
    let mut command = Command::new(PROGRAM.as_str());
    scene.set_up(&mut command);
    command.args(["start", "a", "--headless", "--yes", "--label", "s", "--", "sh", "-c", "echo ready; exec sleep 1000"]);
    let mut session = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(words).spawn().unwrap();
    let mut ready = [0; 6];
    session.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    let ran = scene.run(&["stop", "s"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, "stopped s\n"));
    assert_eq!(session.wait().unwrap().code(), Some(143));
    scene.assert_nothing_left();
    drop(unread);
}
