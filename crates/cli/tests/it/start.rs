use crate::scene::{SHELL, Scene, exists};

#[test]
fn streams_are_passed_apart_and_the_status_is_the_agents() {
    let scene = Scene::new();
    let ran = scene
        .run_with(&["start", "a", "--headless", "--yes", "--", "sh", "-c", "cat; echo out; echo err >&2; exit 7"], b"typed\n");
    assert_eq!((ran.code, ran.stdout.as_str()), (7, "typed\nout\n"));
    assert!(ran.stderr.ends_with("\nerr\n"), "{}", ran.stderr);
    scene.assert_nothing_left();
}

#[test]
fn death_by_a_signal_is_128_and_its_number() {
    assert_eq!(Scene::new().script("kill -9 $$").code, 137);
}

#[test]
fn twenty_megabytes_pass_unchanged_both_ways() {
    let scene = Scene::new();
    let sent: Vec<u8> = (0u32..20_000_000).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let output = scene.output(&["start", "a", "--headless", "--yes", "--", "cat"], &sent);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout == sent, "{} bytes came back of {}", output.stdout.len(), sent.len());
}

#[test]
fn an_agent_whose_reader_is_gone_ends_as_in_any_pipeline() {
    let scene = Scene::new();
    let mut child = scene
        .command(&["start", "a", "--headless", "--yes", "--", "sh", "-c", "while echo line; do :; done"])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child.wait().unwrap();
    scene.assert_nothing_left();
}

#[test]
fn the_agent_itself_gets_the_prompt_file_and_the_first_message() {
    let scene = Scene::bare()
        .bottle(
            "b",
            "agent_provider:\n  template: command\n  command: [sh, -c, 'cat \"$BOT_BOTTLE_PROMPT_FILE\"; echo; echo \"$0\"']\n",
        )
        .agent("a", "bottle: b\n", "You are helpful.");
    let ran = scene.run(&["start", "a", "--headless", "--yes", "--prompt", "do it; $(id)"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "You are helpful.\n\ndo it; $(id)\n"), "{}", ran.stderr);
}

#[test]
fn skills_are_copied_and_announced_and_a_missing_one_stops_the_launch() {
    let scene = Scene::bare()
        .bottle("b", SHELL)
        .agent("a", "bottle: b\nskills: [write-tests]\n", "")
        .file("home/.claude/skills/write-tests/SKILL.md", "skill text");
    let ran = scene.script("cat ~/.claude/skills/write-tests/SKILL.md");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "skill text"), "{}", ran.stderr);
    assert!(ran.stderr.contains("copying skill write-tests into a-"), "{}", ran.stderr);

    std::fs::remove_dir_all(scene.path("home/.claude/skills/write-tests")).unwrap();
    let ran = scene.script("true");
    assert_eq!(ran.code, 125);
    assert!(ran.stderr.contains("error: ") && ran.stderr.contains("write-tests"), "{}", ran.stderr);
    scene.assert_nothing_left();
}

#[test]
fn the_current_folder_is_copied_with_cwd_alone() {
    let scene = Scene::new().file("project/src/x.txt", "content");
    let ran = scene.run(&[
        "start",
        "a",
        "--headless",
        "--yes",
        "--cwd",
        "--",
        "sh",
        "-c",
        "pwd; cat src/x.txt; echo changed > src/x.txt",
    ]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "/home/node/workspace\ncontent"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(scene.path("project/src/x.txt")).unwrap(), "content");
    assert_eq!(scene.script("pwd; ls").stdout, "/home/node\n");
}

#[test]
fn environment_comes_from_manifest_and_host_and_no_value_is_ever_shown() {
    let scene = Scene::bare()
        .bottle("b", &format!("{SHELL}env:\n  LITERAL: \"a b\"\n  TOKEN: ${{HOST_TOKEN}}\n"))
        .agent("a", "bottle: b\n", "")
        .env("HOST_TOKEN", "canary-5d1f")
        .env("OTHER", "not for the bottle");
    let ran = scene.script("echo \"$LITERAL\"; echo \"$TOKEN\" | sed s/canary/given/; echo \"[$OTHER]\"");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "a b\ngiven-5d1f\n[]\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("TOKEN (host:HOST_TOKEN)") && !ran.stderr.contains("canary-5d1f"), "{}", ran.stderr);
    let dry = scene.run(&["start", "a", "--dry-run", "--format", "json"]);
    assert!(!dry.stdout.contains("canary-5d1f") && !dry.stderr.contains("canary-5d1f"));
}

#[test]
fn all_problems_are_told_at_once_and_nothing_is_made() {
    let scene = Scene::bare().bottle("b", &format!("{SHELL}env:\n  A: ${{NOT_SET}}\ntools: [/not/there]\n")).agent(
        "a",
        "bottle: b\nskills: [one, two]\n",
        "",
    );
    let ran = scene.run(&["start", "a", "--headless", "--yes"]);
    assert_eq!(ran.code, 125);
    for part in ["NOT_SET", "/not/there", "skill one", "skill two"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    assert!(!exists(&scene.path("home/.bot-bottle/state")));
}

#[test]
fn a_command_line_that_makes_no_sense_has_one_status() {
    let scene = Scene::new();
    let cases: [(&[&str], &str); 6] = [
        (&["start", "a", "--dry-run", "--label", "Bad Label"], "--label: bad session name"),
        (&["start", "a", "--dry-run", "--backend", "none"], "--backend: there is no backend named none"),
        (&["start", "a", "--dry-run", "--backend", ""], "--backend is empty"),
        (&["exec", "Bad Name", "--", "true"], "bad session name"),
        (&["stop", "Bad Name"], "bad session name"),
        (&["logs", "Bad Name"], "bad session name"),
    ];
    for (args, told) in cases {
        let ran = scene.run(args);
        assert!(ran.code == 2 && ran.stderr.contains(told), "{args:?}: {ran:?}");
    }
}

#[test]
fn a_dry_run_makes_nothing_and_needs_no_answer() {
    let scene = Scene::new();
    let ran = scene.run(&["start", "a", "--dry-run", "--format", "json", "--", "x", "y z"]);
    let plan: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &plan["agent"], &plan["command"][1]), (0, &"a".into(), &"y z".into()));
    let by_variable = scene.command(&["start", "a", "--headless"]).env("BOT_BOTTLE_DRY_RUN", "1").output().unwrap();
    assert_eq!(by_variable.status.code(), Some(0));
    assert!(!exists(&scene.path("home/.bot-bottle/state")));
}

#[test]
fn the_time_limit_ends_the_session_and_says_so() {
    let scene = Scene::bare().bottle("b", &format!("{SHELL}limits:\n  time: 1s\n")).agent("a", "bottle: b\n", "");
    let ran = scene.script("while :; do sleep 1; done");
    assert_eq!(ran.code, 125);
    assert!(ran.stderr.contains("limits.time of 1 s has passed"), "{}", ran.stderr);
    scene.assert_nothing_left();
}

#[test]
fn two_bottles_at_once_see_nothing_of_each_other() {
    let scene = Scene::new();
    let mut first = scene.live("echo first > ~/mine; echo ready; cat");
    let ran = scene.script("cat ~/mine; ls /proc | grep -c '^[0-9]'; hostname");
    assert!(ran.stderr.contains("mine"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("\ns\n"), "{}", ran.stdout);
    first.close_stdin();
    assert_eq!(first.end().0, Some(0));
    scene.assert_nothing_left();
}

#[test]
fn a_label_that_is_taken_is_refused_and_the_running_session_stays() {
    let scene = Scene::new();
    let mut live = scene.live("echo ready; cat");
    let ran = scene.run(&["start", "a", "--headless", "--yes", "--label", "s", "--", "true"]);
    assert_eq!(ran.code, 125);
    assert!(
        ran.stderr.contains("there is a session named s already") && ran.stderr.contains("hint: choose another label"),
        "{}",
        ran.stderr
    );
    assert_eq!(scene.run(&["exec", "s", "--", "true"]).code, 0);
    live.close_stdin();
    assert_eq!(live.end().0, Some(0));
}
