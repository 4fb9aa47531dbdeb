//! `policy reload`: what a running session takes up, and what it does not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::scene::{Ran, SHELL, Scene};

const ROUTES: &str = "egress:\n  routes:\n    - host: a.example\n";

fn scene() -> Scene {
    Scene::bare().bottle("b", &format!("{SHELL}{ROUTES}")).agent("a", "bottle: b\n", "")
}

/// Writes the bottle anew and has the session read it.
fn reload(scene: &Scene, yaml: &str) -> Ran {
    fs::write(scene.path("home/.bot-bottle/bottles/b.md"), format!("---\n{yaml}---\n")).unwrap();
    scene.run(&["policy", "reload", "s"])
}

/// What the agent is told that it may reach.
fn reached(scene: &Scene) -> String {
    let page = "exec 3<>/dev/tcp/127.0.0.1/3128; printf 'GET http://policy.bottle.internal/ HTTP/1.0\\r\\nHost: policy.bottle.internal\\r\\n\\r\\n' >&3; cat <&3";
    scene.run(&["exec", "s", "--", "bash", "-c", page]).stdout
}

#[test]
fn a_credential_that_is_not_there_changes_nothing_and_is_named() {
    let scene = scene();
    let live = scene.live("echo ready; sleep 1000");
    let route = |token: &str| format!("    - {{host: b.example, auth: {{scheme: Bearer, token_ref: {token}}}}}\n");
    let unset = route("UNSET_VARIABLE");
    let all = [unset.as_str(), &route("{file: ~/no-such-file}"), &route("{command: [no-such-program]}")];
    for (route, wrong) in
        all.iter().zip(["variable UNSET_VARIABLE is not set", "no-such-file does not exist", "cannot be started"])
    {
        let ran = reload(&scene, &format!("{SHELL}{ROUTES}{route}"));
        assert_eq!(ran.code, 125, "{ran:?}");
        assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains("b.md:"), "{ran:?}");
        assert!(ran.stderr.contains(wrong) && ran.stderr.contains("hint: the policy in force has not changed"), "{ran:?}");
        let page = reached(&scene);
        assert!(page.contains("a.example") && !page.contains("b.example"), "{page}");
    }
    // The environment of a process is what it was started with; all that is missing is named at once.
    let both = reload(&scene, &format!("{SHELL}{ROUTES}{}{}", all[0], all[1].replace("b.example", "c.example")));
    assert!(both.stderr.contains("start it again then") && both.stderr.contains("no-such-file"), "{both:?}");

    let token = scene.path("home/no-such-file");
    fs::write(&token, "canary").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let ran = reload(&scene, &format!("{SHELL}{ROUTES}{}", all[1]));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, "session s goes by 2 rules now\n"), "{ran:?}");
    assert!(reached(&scene).contains("b.example"));
    drop(live);
}

#[test]
fn what_only_the_next_start_takes_up_is_told() {
    let scene = scene();
    let mut live = scene.live("echo ready; read line; echo $NEW");
    let now = format!(
        "{SHELL}{ROUTES}    - host: b.example\nenv: {{NEW: canary}}\ntools: [/opt]\nlimits: {{time: 3h}}\nworkspace: {{copy: true}}\n"
    );
    let ran = reload(&scene, &now);
    let note = "note: changed too, but taken up by the next start alone, not by s: env.NEW, limits.time, tools, workspace";
    assert_eq!((ran.code, ran.stderr), (0, format!("session s goes by 2 rules now\n{note}\n")));
    live.signal(rustix::process::Signal::HUP);
    let ran = scene.run(&["policy", "reload", "s"]);
    assert!(ran.stderr.contains("env.NEW"), "{ran:?}");
    live.close_stdin();
    assert_eq!(live.line(), "");
    let (_, stderr) = live.end();
    assert!(stderr.contains("the policy was read anew while it ran: 2 rules") && stderr.contains(note), "{stderr}");
    assert!(!stderr.contains("canary"), "{stderr}");
}

/// Its model stays what it was: hosts and credential are those that the session was started with.
#[test]
fn a_changed_provider_is_taken_up_by_the_next_start() {
    let scene = scene();
    let live = scene.live("echo ready; sleep 1000");
    let ran = reload(&scene, &format!("agent_provider: {{template: claude, api_key: UNSET}}\n{ROUTES}"));
    assert!(ran.code == 0 && ran.stderr.contains("by 1 rule now\n") && ran.stderr.ends_with(": agent_provider\n"), "{ran:?}");
    drop(live);
}

/// A start names the rule, too, and all that is missing.
#[test]
fn a_start_names_the_rules_whose_credentials_are_missing() {
    let routes = "    - {host: b.example, auth: {scheme: Bearer, token_ref: {file: ~/none}}}\n    - {host: c.example, auth: {scheme: Bearer, token_ref: {command: [no-such-program]}}}\n";
    let scene = Scene::bare().bottle("b", &format!("{SHELL}{ROUTES}{routes}")).agent("a", "bottle: b\n", "");
    let ran = scene.script("true");
    assert_eq!(ran.code, 125, "{ran:?}");
    for told in
        ["b.md:8 puts in a credential that cannot be had: file ~/none does not exist", "b.md:9 puts in", "hint: write the"]
    {
        assert!(ran.stderr.contains(told), "{told}: {ran:?}");
    }
    scene.assert_nothing_left();
}
