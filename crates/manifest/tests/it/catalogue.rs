use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use manifest::{Catalogue, OpenError, Origin, Places, Source};

use crate::scene::Scene;

#[test]
fn names_are_listed_and_nothing_is_read() {
    let scene = Scene::new()
        .file("home/agents/broken.md", b"\xff\xfe")
        .agent("fixer", "bottle: dev")
        .bottle("dev", "")
        .file("home/bottles/broken.md", "---\n: : :");
    let catalogue = scene.open();
    let agents: Vec<&str> = catalogue.agents().map(|entry| entry.name.as_str()).collect();
    let bottles: Vec<&str> = catalogue.bottles().map(|entry| entry.name.as_str()).collect();
    assert_eq!((agents, bottles), (vec!["broken", "fixer"], vec!["broken", "dev"]));
    assert_eq!(scene.resolve("fixer").bottles[0].as_str(), "dev");
    assert!(scene.try_resolve("broken", &[]).is_err());
}

#[test]
fn no_home_says_what_to_write_where() {
    let scene = Scene::new();
    let home = scene.path("nowhere");
    let error = Catalogue::open(&Places { home: home.clone(), repository: None }).unwrap_err();
    assert!(matches!(&error, OpenError::NoHome { home: missing } if *missing == home));
    insta::assert_snapshot!(format!("{error}\n{}", error.help()).replace(home.to_str().unwrap(), "~/.bot-bottle"), @r"
    there are no manifests: ~/.bot-bottle does not exist
    write two small files:

    ~/.bot-bottle/bottles/dev.md
        ---
        agent_provider:
          template: claude
        ---
        What the agent may use. This text is for you.

    ~/.bot-bottle/agents/helper.md
        ---
        bottle: dev
        ---
        You are a careful programmer. (This text is the agent's system prompt.)

    then run: bot-bottle start helper
    ");
}

/// What the error tells a newcomer to write must work.
#[test]
fn the_example_of_the_first_steps_is_valid() {
    let text = manifest::first_steps("/home".as_ref());
    let mut scene = Scene::new();
    let mut file = None;
    let mut content = String::new();
    for line in text.lines().chain(["/end"]) {
        if line.starts_with('/') {
            if let Some(file) = file.replace(line.trim_start_matches('/').to_owned()) {
                scene = scene.file(&file, &content);
            }
            content.clear();
        } else if let Some(line) = line.strip_prefix("    ") {
            content.push_str(line);
            content.push('\n');
        }
    }
    let resolved = scene.resolve("helper");
    assert!(resolved.agent.prompt.starts_with("You are a careful programmer."));
}

#[test]
fn home_is_not_a_folder() {
    let scene = Scene::new().file("file", "");
    let error = Catalogue::open(&Places { home: scene.path("file"), repository: None }).unwrap_err();
    assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
}

#[test]
fn an_empty_home_holds_nothing_and_says_how_to_begin() {
    let scene = Scene::new();
    assert_eq!((scene.open().agents().count(), scene.open().bottles().count()), (0, 0));
    assert!(scene.problems("fixer").contains("write two small files"));
}

#[test]
fn a_repository_ships_agents_but_no_bottles() {
    let scene = Scene::new()
        .bottle("dev", "env: {A: home}")
        .repository_agent("theirs", "bottle: dev")
        .file("work/.bot-bottle/bottles/dev.md", "---\nenv: {A: evil}\n---\n")
        .file("work/.bot-bottle/bottles/evil.md", "---\nenv: {A: evil}\n---\n");
    let resolved = scene.resolve("theirs");
    assert_eq!(resolved.agent.origin, Origin::Repository);
    assert_eq!(resolved.agent.prompt, "prompt of the repository's theirs");
    assert_eq!(format!("{:?}", resolved.bottle.env), r#"{"A": Literal("home")}"#);
    assert!(scene.try_resolve("theirs", &["evil"]).is_err());
    insta::assert_debug_snapshot!(scene.notes(), @r#"
    [
        "ignored /work/.bot-bottle/bottles: only your own folder can define bottles, because a bottle grants access",
    ]
    "#);
}

#[test]
fn home_beats_the_repository_with_a_note() {
    let scene = Scene::new().bottle("dev", "").agent("fixer", "bottle: dev").repository_agent("fixer", "bottle: nowhere");
    let resolved = scene.resolve("fixer");
    assert_eq!((resolved.agent.origin, resolved.agent.prompt.as_str()), (Origin::Home, "prompt of fixer"));
    assert_eq!(resolved.notes.len(), 1);
    insta::assert_debug_snapshot!(scene.notes(), @r#"
    [
        "agent fixer: /home/agents/fixer.md is taken and the repository's /work/.bot-bottle/agents/fixer.md is not, because both define it",
    ]
    "#);
}

#[test]
fn strange_files_are_skipped_with_a_note() {
    let scene = Scene::new()
        .agent("good", "bottle: dev")
        .agent("Bad", "")
        .agent("9bad", "")
        .agent("evil\u{1b}[2J", "")
        .file("home/agents/README.txt", "not a manifest")
        .file("home/agents/.swp.md", "")
        .file("home/bottles/x/y.md", "")
        .file("home/bot-bottle.json", "{}")
        .file("bot-bottle.json", "{}");
    assert_eq!(scene.open().agents().count(), 1);
    assert_eq!(scene.open().bottles().count(), 0);
    insta::assert_debug_snapshot!(scene.notes(), @r#"
    [
        "ignored /home/bot-bottle.json: manifests are Markdown files in agents/ and bottles/ now; move its content there and delete it",
        "ignored /bot-bottle.json: manifests are Markdown files in agents/ and bottles/ now; move its content there and delete it",
        "skipped /home/agents/.swp.md: a manifest's name is 1 to 57 of a-z, 0-9 and `-` after a letter, and `.md`",
        "skipped /home/agents/9bad.md: a manifest's name is 1 to 57 of a-z, 0-9 and `-` after a letter, and `.md`",
        "skipped /home/agents/Bad.md: a manifest's name is 1 to 57 of a-z, 0-9 and `-` after a letter, and `.md`",
        "skipped /home/agents/evil\\u{1b}[2J.md: a manifest's name is 1 to 57 of a-z, 0-9 and `-` after a letter, and `.md`",
    ]
    "#);
}

#[test]
fn in_the_home_folder_itself_the_repository_is_the_person() {
    let scene = Scene::new().agent("fixer", "bottle: dev").bottle("dev", "");
    let places = Places { home: scene.home(), repository: Some(scene.path("home/../home")) };
    let catalogue = Catalogue::open(&places).unwrap();
    assert_eq!(catalogue.notes(), []);
    assert_eq!(catalogue.agents().map(|entry| entry.origin).collect::<Vec<_>>(), [Origin::Home]);
}

#[test]
fn bottles_are_chosen_by_the_launch_or_by_the_agent() {
    let scene =
        Scene::new().bottle("one", "env: {A: 1}").bottle("two", "env: {A: 2}").agent("own", "bottle: one").agent("none", "");
    let names = |agent, bottles: &[&str]| {
        scene.resolve_in(agent, bottles).bottles.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("own", &[]), ["one"]);
    assert_eq!(names("own", &["two"]), ["two"]);
    assert_eq!(names("none", &["two", "one"]), ["two", "one"]);
    insta::assert_snapshot!(scene.problems("none"), @r"
    error: the agent `none` names no bottle, and none was chosen
    --> /home/agents/none.md
     = help: write `bottle: NAME` into /home/agents/none.md, or choose one with `--bottle NAME`
     = help: the bottles are `one`, `two`
    ");
}

#[test]
fn unknown_names_get_the_nearest() {
    let scene = Scene::new().bottle("work", "").agent("fixer", "bottle: wrok").agent("other", "bottle: work");
    insta::assert_snapshot!(scene.problems_in("fixr", &["wrok", "../work"]), @r"
    error: there is no agent `fixr`
     |
     = help: did you mean `fixer`?

    error: there is no bottle `wrok`
     |
     = help: did you mean `work`?

    error: there is no bottle `../work`
     |
     = help: did you mean `work`?
    ");
    insta::assert_snapshot!(scene.problems("fixer"), @r"
    error: there is no bottle `wrok`
     --> /home/agents/fixer.md:2:9
      |
    2 | bottle: wrok
      |         ^^^^
      |
      = help: did you mean `work`?
    ");
}

#[test]
fn a_commit_identity_says_who_claims_it() {
    let scene = Scene::new()
        .bottle("dev", "git-gate: {user: {name: Work Bot, email: bot@example.org}}")
        .agent("fixer", "bottle: dev\ngit-gate: {user: {name: Fixer, email: ''}}");
    let user = scene.resolve("fixer").git_user;
    assert_eq!(user.name.as_ref().map(ToString::to_string).as_deref(), Some("Fixer (agent)"));
    assert_eq!(user.email.as_ref().map(|claimed| claimed.source), Some(Source::Bottle));
}

#[test]
fn the_reference_example_reads() {
    let scene = Scene::new()
        .bottle("base-claude", "agent_provider:\n  template: claude\n  auth_token: MY_CLAUDE_OAUTH\nsupervise: true")
        .bottle(
            "work",
            r#"extends: base-claude
env:
  LANG: C.UTF-8
  NPM_TOKEN: "?token for the private registry"
  TZ: ${TZ}
git-gate:
  user:
    name: Work Bot
    email: bot@example.org
  repos:
    service:
      url: ssh://git@git.example.org:2222/team/service.git
      key: {provider: static, path: ~/.ssh/bot_ed25519}
      host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl
egress:
  routes:
    - host: git.example.org
      auth: {scheme: token, token_ref: WORK_FORGE_TOKEN}
      matches:
        - paths: [{type: prefix, value: /api/v1/}]
    - host: packages.example.org"#,
        )
        .agent("fixer", "bottle: work\nskills: [write-tests]\ngit-gate:\n  user: {name: Fixer}\nname: x\ndescription: y\nmodel: opus\ncolor: red\nmemory: {a: [1]}");
    let resolved = scene.resolve("fixer");
    assert_eq!(resolved.agent.skills.iter().map(ToString::to_string).collect::<Vec<_>>(), ["write-tests"]);
    assert_eq!(
        resolved.bottle.provider.auth,
        Some(manifest::ProviderAuth::LongLivedToken(policy::TokenRef::Variable("MY_CLAUDE_OAUTH".into())))
    );
    assert_eq!(
        resolved.bottle.egress.routes.iter().map(|r| (r.route.host.to_string(), r.line)).collect::<Vec<_>>(),
        [("git.example.org".to_owned(), 18), ("packages.example.org".to_owned(), 22)]
    );
    assert!(resolved.bottle.supervise);
    assert_eq!(resolved.bottle.git.repos.len(), 1);
}

#[test]
fn manifests_that_others_could_have_written_are_refused_with_what_to_do() {
    let scene = Scene::new().bottle("dev", "").agent("fixer", "bottle: dev").repository_agent("theirs", "bottle: dev");
    let set = |path: &str, mode| std::fs::set_permissions(scene.path(path), Permissions::from_mode(mode)).unwrap();
    for folder in ["home", "home/bottles", "home/agents"] {
        for mode in [0o777, 0o1777, 0o757] {
            set(folder, mode);
            let error = Catalogue::open(&scene.places()).unwrap_err();
            let path = scene.path(folder).display().to_string();
            assert!(matches!(error, OpenError::NotOurs { .. }) && error.to_string().contains(&path), "{error}");
            let (help, is_shared) = (error.help(), mode & 0o1000 != 0);
            assert_eq!((help.contains("chmod go-w"), help.contains("BOT_BOTTLE_HOME")), (!is_shared, is_shared), "{help}");
        }
        set(folder, 0o755);
    }
    for file in ["home/bottles/dev.md", "home/agents/fixer.md"] {
        set(file, 0o666);
        let told = scene.try_resolve("fixer", &[]).unwrap_err().render(manifest::Style::Plain);
        let name = scene.path(file).display().to_string();
        assert!(told.contains(&name) && told.contains("mode 0666") && told.contains("chmod go-w"), "{told}");
        set(file, 0o644);
    }
    // A repository's agents grant nothing, whoever can write them.
    for path in ["work/.bot-bottle", "work/.bot-bottle/agents", "work/.bot-bottle/agents/theirs.md"] {
        set(path, 0o777);
    }
    assert_eq!(scene.resolve("theirs").agent.origin, Origin::Repository);
}

#[test]
fn manifests_of_somebody_else_are_refused_and_roots_are_not() {
    let scene = Scene::new().bottle("dev", "").agent("fixer", "bottle: dev");
    // Root gives its own away; anybody else links to what is root's.
    if std::os::unix::fs::chown(scene.path("home/bottles"), Some(65_534), None).is_ok() {
        let error = Catalogue::open(&scene.places()).unwrap_err();
        assert!(error.to_string().contains("belongs to user 65534") && error.help().contains("chown"), "{error}");
    } else {
        let scene = Scene::new().link("home/bottles", "/usr/lib");
        assert!(Catalogue::open(&scene.places()).is_ok());
    }
}
