use crate::elsewhere::only_native;
use crate::scene::{Ran, SHELL, Scene};

#[test]
fn help_of_every_command() {
    let scene = Scene::bare();
    let mut all = scene.run(&["--help"]).stdout;
    for command in
        ["start", "exec", "stop", "list", "info", "policy explain", "policy test", "cleanup", "doctor", "demo", "completions"]
    {
        all += &format!("\n==== {command}\n{}", scene.run(&command.split(' ').chain(["--help"]).collect::<Vec<_>>()).stdout);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn agents_and_bottles_are_listed_by_name_though_a_file_is_broken() {
    let scene =
        Scene::new().bottle("broken", "nonsense: [\n").file("project/.bot-bottle/agents/theirs.md", "---\nbottle: b\n---\n");
    insta::assert_snapshot!("agents", scene.stable(&scene.run(&["list"]).stdout));
    insta::assert_snapshot!("bottles", scene.stable(&scene.run(&["list", "bottles"]).stdout));
    let json: serde_json::Value = serde_json::from_str(&scene.run(&["list", "agents", "--json"]).stdout).unwrap();
    assert_eq!((&json[1]["name"], &json[1]["origin"]), (&"theirs".into(), &"repository".into()));
}

#[test]
fn info_shows_the_merged_manifests_and_no_value() {
    let scene = Scene::bare()
        .bottle(
            "b",
            &format!(
                "{SHELL}env:\n  A: canary-value\n  B: \"?the token\"\n  C: ${{HOST}}\ngit-gate:\n  user: {{name: Bot, email: bot@example.org}}\n\
                 egress:\n  routes:\n    - host: api.example.org\n      auth: {{scheme: Bearer, token_ref: T}}\nlimits:\n  time: 90m\n  memory: 2GiB\n"
            ),
        )
        .agent("a", "bottle: b\ngit-gate:\n  user: {name: Fixer}\n", "Fix it.");
    let ran = scene.run(&["info", "a"]);
    assert!(!ran.stdout.contains("canary-value"));
    insta::assert_snapshot!(scene.stable(&ran.stdout));
    let json: serde_json::Value = serde_json::from_str(&scene.run(&["info", "a", "--json"]).stdout).unwrap();
    assert_eq!(json["env"][1]["from"], "asked");
}

#[test]
fn the_preflight_shows_what_will_be_done() {
    if !only_native("the preflight names the backend, and the image") {
        return;
    }
    let scene = Scene::bare()
        .bottle("b", &format!("{SHELL}env:\n  A: x\n  B: ${{HOME}}\nlimits:\n  time: 90m\n"))
        .agent("a", "bottle: b\nskills: [one]\n", "Text.")
        .file("home/.claude/skills/one/SKILL.md", "x")
        .file("project/y", "yy");
    let ran = scene.run(&["start", "a", "--dry-run", "--cwd", "--headless", "--prompt", "go on"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let text = scene.stable(&ran.stderr);
    let shown: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with("note")).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

/// The model and what pays for it, and all that a route narrows or opens: nothing of it is told by the host's name alone.
#[test]
fn the_preflight_shows_what_may_be_reached_and_who_pays() {
    let routes = "egress:\n  routes:\n    - host: api.example.org\n      matches:\n        - {methods: [GET, HEAD], paths: [{type: prefix, value: /v1}]}\n        - {methods: [POST], paths: [{type: exact, value: /v1/items}], headers: [{name: X-Version, value: canary}]}\n      auth: {scheme: Bearer, token_ref: {file: ~/token}}\n    - {host: \"*.example.net\", tls: passthrough}\n    - {host: local.example.com, ports: [8443], dial: \"127.0.0.1:9443\", auth: {header: x-api-key, token_ref: T}}\n    - {host: inner.example.com, addresses: [10.1.0.0/16]}\n    - {host: api.anthropic.com, matches: [{methods: [POST]}]}\n";
    let paid = "agent_provider: {template: claude, api_key: {command: [pass, show, canary]}}\n";
    let scene = Scene::bare().env("T", "canary").bottle("b", &format!("{paid}{routes}")).agent("a", "bottle: b\n", "");
    let scene = scene.bottle("free", "agent_provider: {template: claude}\n");
    let show = |bottle: &str, more: &[&str]| {
        let ran = scene.run(&[&["start", "a", "--bottle", bottle, "--dry-run"], more, &["--", "true"]].concat());
        assert!(ran.code == 0 && !format!("{ran:?}").contains("canary"), "{ran:?}");
        ran
    };
    let of = |text: &str| {
        let rows = text.lines().skip_while(|line| !line.starts_with("  model"));
        rows.take_while(|line| !line.starts_with("  network")).map(|line| format!("{line}\n")).collect::<String>()
    };
    insta::assert_snapshot!(of(&show("b", &[]).stderr) + "\n" + &of(&show("free", &[]).stderr));
    let json: serde_json::Value = serde_json::from_str(&show("b", &["--format", "json"]).stdout).unwrap();
    insta::assert_snapshot!(
        "reach_as_json",
        serde_json::to_string_pretty(&serde_json::json!({"model": json["model"], "egress": json["egress"]})).unwrap()
    );
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    if !only_native("mistakes that are found after the preflight are shown below it") {
        return;
    }
    let scene = Scene::new().bottle("typo", "agent_provder: {}\n").agent("t", "bottle: typo\n", "");
    let bare = Scene::bare();
    let tell = |scene: &Scene, args: &[&str]| {
        let ran = scene.run(args);
        format!("$ bot-bottle {}\n{}exit {}\n\n", args.join(" "), scene.stable(&ran.stderr), ran.code)
    };
    let all = [
        tell(&bare, &["start", "x"]),
        tell(&scene, &["start", "b", "--yes", "--headless"]),
        tell(&scene, &["start", "t", "--yes", "--headless"]),
        tell(&scene, &["start", "a", "--backend", "dokcer", "--dry-run"]),
        tell(&scene, &["start", "a", "--format", "json"]),
        tell(&scene, &["start", "a", "--yes"]),
        tell(&scene, &["start", "a"]),
        tell(&scene, &["start", "--headless"]),
        tell(&scene, &["exec", "nobody", "--", "true"]),
        tell(&scene, &["exec", "../x", "--", "true"]),
        tell(&scene, &["strat"]),
    ];
    insta::assert_snapshot!(all.concat());
}

#[test]
fn data_is_plain_and_messages_obey_colour() {
    let scene = Scene::new();
    assert!(scene.run(&["start", "--color", "always"]).stderr.contains("\x1b["));
    assert!(!scene.run(&["start"]).stderr.contains('\x1b'));
    assert!(!scene.run(&["list", "--color", "always"]).stdout.contains('\x1b'));
}

#[test]
fn completions_and_version_need_no_home() {
    let scene = Scene::bare();
    for shell in ["bash", "zsh", "fish"] {
        assert!(scene.run(&["completions", shell]).stdout.contains("bot-bottle"), "{shell}");
    }
    assert_eq!(scene.run(&["--version"]).stdout, format!("bot-bottle {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn doctor_tells_of_every_backend() {
    let ran = Scene::bare().run(&["doctor", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["backends"][0]["name"], "native");
    assert_eq!(ran.code == 0, report["backends"][0]["works"] == true);
}

/// What no switch of the kernel's shows is found out by a trial before a person decides, and by the launch where nobody does.
#[test]
fn where_bottles_cannot_be_made_it_is_told_the_same_with_and_without_a_trial() {
    if !only_native("an engine makes its containers elsewhere") {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        return testkit::require("root", "only root can cover a part of /proc");
    }
    // As containers do: who sees no whole /proc may mount no fresh one.
    let covered = ["unshare", "--mount", "--propagation", "private", "--", "sh", "-c"];
    let entry = covered.into_iter().chain(["mount -t tmpfs none /proc/fs && exec \"$0\" \"$@\""]).map(str::to_owned);
    let scene = Scene::new().within(entry.collect());
    for args in [&["start", "a", "--dry-run"][..], &["start", "a", "--headless"], &["start", "a", "--headless", "--yes"]] {
        let ran = scene.run(args);
        let told = ran.stderr.contains("cannot run here: the kernel refuses a fresh /proc")
            && ran.stderr.contains("hint: inside a container");
        assert!(ran.code == 125 && told, "{args:?}: {ran:?}");
    }
    scene.assert_nothing_left();
}

#[test]
fn the_persons_own_folder_is_no_repositorys_wherever_manifests_are_read() {
    let scene = Scene::new().file("elsewhere/agents/other.md", "---\nbottle: b\n---\n");
    let mut command = scene.command(&["list", "agents"]);
    let listed = command.env("BOT_BOTTLE_HOME", scene.path("elsewhere")).current_dir(scene.path("home")).output().unwrap();
    let listed = Ran::from(&listed);
    assert!(listed.code == 0 && listed.stdout.contains("other") && !listed.stdout.contains("repository"), "{listed:?}");
    assert_eq!(listed.stderr, "");
}

#[test]
fn a_demo_that_cannot_be_written_names_no_logs() {
    let scene = Scene::bare();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ran = Ran::from(&scene.command(&["demo"]).stdout(full).output().unwrap());
    assert!(ran.code == 125 && ran.stderr.contains("No space left") && !ran.stderr.contains("logs"), "{ran:?}");
}

#[test]
fn the_demo_holds() {
    let scene = Scene::bare();
    let ran = scene.run(&["demo"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(!ran.stdout.contains("OPEN") && ran.stdout.matches("held").count() > 15, "{}", ran.stdout);
    assert_eq!(std::fs::read_dir(scene.path("home")).unwrap().count(), 0);
}
