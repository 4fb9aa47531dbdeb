//! The scenarios. Each gets a fresh bottle and looks at it through its handle alone.

use std::fs;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use agents::{GuestLink, Template};
use bottle::tree::{MemoryEntry, MemorySink};
use bottle::{Bottle, CopyError, GuestPath, Tree, User};
use provision::{GitIdentity, Notice, ProvisionError, Provisioned, Roots, Trust, provision};

use crate::host::Host;

type Scenario = fn(Arc<dyn Bottle>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        /// Every scenario, by name.
        pub const ALL: &[(&str, Scenario)] = &[$((stringify!($name), |bottle| Box::pin($name(bottle)))),*];
    };
}

scenarios![
    prompt_skills_workspace_and_files_arrive,
    the_prompt_is_written_even_when_empty,
    a_prior_copy_of_a_skill_is_replaced,
    a_skill_that_disappears_stops_everything_and_leaves_nothing,
    a_skill_swapped_for_a_link_is_not_followed,
    a_folder_above_that_is_swapped_after_the_plan_is_not_followed,
    another_folder_in_the_place_of_a_planned_one_is_not_copied,
    skills_go_where_the_person_says,
    skills_where_a_link_was_planted_are_refused,
    programs_are_linked,
    certificates_stand_where_programs_look,
    the_workspace_goes_where_the_manifest_says,
    codex_finds_its_files_and_skills,
    provisioning_twice_gives_the_same,
    each_copy_is_announced_before_it_is_made,
];

fn at(path: &str) -> GuestPath {
    GuestPath::parse(path).unwrap()
}

async fn run(host: &Host, bottle: &dyn Bottle) -> Provisioned {
    provision(&host.plan(), None, bottle, &mut |_: &Notice<'_>| {}).await.unwrap_or_else(|error| panic!("{error}"))
}

/// What stands at `path` in the bottle.
async fn look(bottle: &dyn Bottle, path: &str) -> Result<MemorySink, CopyError> {
    let mut sink = MemorySink::default();
    bottle.cp_out(&at(path), &mut sink).await.map(|()| sink)
}

async fn read(bottle: &dyn Bottle, path: &str) -> String {
    let sink = look(bottle, path).await.unwrap_or_else(|error| panic!("{error}"));
    String::from_utf8(sink.file("").unwrap().to_vec()).unwrap()
}

async fn prompt_skills_workspace_and_files_arrive(bottle: Arc<dyn Bottle>) {
    let mut host = Host::new();
    (host.prompt, host.skills, host.workspace) = ("\n Be brief.\n\n", vec!["review", "tests"], Some("project"));
    host.identity = Some(GitIdentity { name: Some("A \"B\"".into()), email: Some("a@b.c".into()) });
    let provisioned = run(&host, &*bottle).await;
    assert_eq!(provisioned.prompt_file, Some(at("/home/node/.bot-bottle-prompt.txt")));
    assert_eq!(provisioned.folder, at("/home/node/workspace"));

    let prompt = look(&*bottle, "/home/node/.bot-bottle-prompt.txt").await.unwrap();
    let expected = MemoryEntry::File { mode: 0o600, content: b"Be brief.\n".to_vec() };
    assert_eq!(prompt.entries().values().collect::<Vec<_>>(), [&expected]);

    let skills = look(&*bottle, "/home/node/.claude/skills").await.unwrap();
    assert_eq!(skills.file("review/SKILL.md"), Some(&b"how to review\n"[..]));
    assert_eq!(skills.file("tests/SKILL.md"), Some(&b"how to test\n"[..]));
    let entry = |path: &str| skills.entries().iter().find(|(at, _)| at.as_path() == Path::new(path)).map(|(_, entry)| entry);
    assert!(matches!(entry("review/bin/run"), Some(MemoryEntry::File { mode: 0o755, .. })));
    assert_eq!(entry("review/alias.md"), Some(&MemoryEntry::Link { target: "SKILL.md".into() }));

    let workspace = look(&*bottle, "/home/node/workspace").await.unwrap();
    assert_eq!(workspace.file("src/main.rs"), Some(&b"fn main() {}\n"[..]));
    assert_eq!(workspace.file(".git/HEAD"), Some(&b"ref: refs/heads/main\n"[..]));
    assert!(workspace.entries().keys().all(|path| path.as_path() != Path::new("key")), "the link to a key was left out");

    let config = read(&*bottle, "/home/node/.gitconfig").await;
    assert_eq!(config, "[user]\n\tname = \"A \\\"B\\\"\"\n\temail = \"a@b.c\"\n[safe]\n\tdirectory = \"/home/node/workspace\"\n");
    let state = read(&*bottle, "/home/node/.claude.json").await;
    assert!(state.contains("\"/home/node/workspace\"") && state.contains("hasTrustDialogAccepted"), "{state}");

    let everything = look(&*bottle, "/home/node").await.unwrap();
    for (path, entry) in everything.entries() {
        if let MemoryEntry::File { content, .. } = entry {
            assert!(!String::from_utf8_lossy(content).contains("canary-key"), "{path} holds the host's key");
        }
    }
}

async fn the_prompt_is_written_even_when_empty(bottle: Arc<dyn Bottle>) {
    let provisioned = run(&Host::new(), &*bottle).await;
    assert_eq!(provisioned.prompt_file, None);
    assert_eq!(provisioned.folder, at("/home/node"));
    assert_eq!(read(&*bottle, "/home/node/.bot-bottle-prompt.txt").await, "");
}

async fn a_prior_copy_of_a_skill_is_replaced(bottle: Arc<dyn Bottle>) {
    let skill = "/home/node/.claude/skills/review";
    bottle.cp_in(&Tree::file("old", 0o644), &at(&format!("{skill}/left-over")), User::Root).await.unwrap();
    bottle.cp_in(&Tree::file("mine", 0o644), &at("/home/node/.claude/skills/own/SKILL.md"), User::Node).await.unwrap();
    let mut host = Host::new();
    host.skills = vec!["review"];
    run(&host, &*bottle).await;
    let skills = look(&*bottle, "/home/node/.claude/skills").await.unwrap();
    assert_eq!(skills.file("review/left-over"), None);
    assert!(skills.file("review/SKILL.md").is_some());
    assert_eq!(skills.file("own/SKILL.md"), Some(&b"mine"[..]), "other skills stay");
}

async fn a_skill_that_disappears_stops_everything_and_leaves_nothing(bottle: Arc<dyn Bottle>) {
    let mut host = Host::new();
    (host.prompt, host.skills) = ("x", vec!["review", "tests"]);
    let plan = host.plan();
    fs::remove_dir_all(host.home.join(".claude/skills/tests")).unwrap();
    let error = provision(&plan, None, &*bottle, &mut |_: &Notice<'_>| {}).await.unwrap_err();
    assert!(matches!(&error, ProvisionError::Skill { name, .. } if name == "tests"), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("skill tests") && text.contains(bottle.name().as_str()) && text.contains(".claude/skills/tests"),
        "{text}"
    );
    for path in ["/home/node/.claude", "/home/node/.bot-bottle-prompt.txt", "/home/node/.claude.json"] {
        assert!(look(&*bottle, path).await.is_err(), "{path} is there");
    }
}

async fn a_skill_swapped_for_a_link_is_not_followed(bottle: Arc<dyn Bottle>) {
    let mut host = Host::new();
    host.skills = vec!["review"];
    let plan = host.plan();
    let file = host.home.join(".claude/skills/review/SKILL.md");
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(host.home.join(".ssh/id_ed25519"), &file).unwrap();
    let error = provision(&plan, None, &*bottle, &mut |_: &Notice<'_>| {}).await.unwrap_err();
    assert!(matches!(&error, ProvisionError::Skill { name, .. } if name == "review"), "{error:?}");
    assert!(look(&*bottle, "/home/node/.claude/skills").await.is_err());
}

async fn a_folder_above_that_is_swapped_after_the_plan_is_not_followed(bottle: Arc<dyn Bottle>) {
    let mut host = Host::new();
    host.skills = vec!["review"];
    let plan = host.plan();
    host.write("planted/review/SKILL.md", "planted\n");
    let skills = host.home.join(".claude/skills");
    fs::rename(&skills, host.home.join(".claude/were")).unwrap();
    std::os::unix::fs::symlink(host.home.join("planted"), &skills).unwrap();
    let error = provision(&plan, None, &*bottle, &mut |_: &Notice<'_>| {}).await.unwrap_err();
    assert!(matches!(&error, ProvisionError::Skill { name, .. } if name == "review"), "{error:?}");
    assert!(error.to_string().contains("something was put in its place"), "{error}");
    assert!(look(&*bottle, "/home/node/.claude/skills").await.is_err());
}

async fn another_folder_in_the_place_of_a_planned_one_is_not_copied(bottle: Arc<dyn Bottle>) {
    let mut host = Host::new();
    host.workspace = Some("project");
    let plan = host.plan();
    fs::rename(host.home.join("project"), host.home.join("was")).unwrap();
    host.write("project/planted", "planted\n");
    let error = provision(&plan, None, &*bottle, &mut |_: &Notice<'_>| {}).await.unwrap_err();
    assert!(error.to_string().contains("project is not what it was when it was looked at"), "{error}");
    assert!(look(&*bottle, "/home/node/workspace").await.is_err());
}

async fn skills_go_where_the_person_says(bottle: Arc<dyn Bottle>) {
    let mut host = Host::new();
    (host.skills, host.guest_skills) = (vec!["tests"], "/srv/my skills");
    run(&host, &*bottle).await;
    assert_eq!(read(&*bottle, "/srv/my skills/tests/SKILL.md").await, "how to test\n");
    assert_eq!(read(&*bottle, "/home/node/.bot-bottle-prompt.txt").await, "");
    assert!(look(&*bottle, "/home/node/.claude/skills").await.is_err());
}

async fn skills_where_a_link_was_planted_are_refused(bottle: Arc<dyn Bottle>) {
    let links = [GuestLink { at: at("/home/node/.claude/skills"), target: "/etc".into() }];
    let mut host = Host::new();
    host.visible.links = links.to_vec();
    run(&host, &*bottle).await;
    host.visible.links.clear();
    host.skills = vec!["review"];
    let error = provision(&host.plan(), None, &*bottle, &mut |_: &Notice<'_>| {}).await.unwrap_err();
    assert!(matches!(error, ProvisionError::Copy(CopyError::Guest { .. })), "{error:?}");
    assert!(look(&*bottle, "/etc/review").await.is_err());
}

async fn programs_are_linked(bottle: Arc<dyn Bottle>) {
    let links = [
        GuestLink { at: at("/opt/bot-bottle/bin/claude"), target: "/usr/share/x y/versions/2.1".into() },
        GuestLink { at: at("/opt/bot-bottle/bin/-odd name"), target: "up and -away".into() },
        GuestLink { at: at("/home/me/.local/bin/python3"), target: "../share/python".into() },
    ];
    let mut host = Host::new();
    host.visible.links = links.to_vec();
    run(&host, &*bottle).await;
    run(&host, &*bottle).await;
    for link in &links {
        let folder = link.at.parent().unwrap();
        let sink = look(&*bottle, folder.as_path().to_str().unwrap()).await.unwrap();
        let name = Path::new(link.at.file_name().unwrap());
        let found = sink.entries().iter().find(|(path, _)| path.as_path() == name).map(|(_, entry)| entry);
        assert_eq!(found, Some(&MemoryEntry::Link { target: link.target.clone() }), "{}", link.at);
    }
}

/// An authority made for tests, whose key nobody has.
const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIB1zCCAX2gAwIBAgIUDYGZMTzvJ7F2KdaVbLOQ5pSrzkwwCgYIKoZIzj0EAwIw
OTEaMBgGA1UECgwRIEJvdC1Cb3R0bGUgIFRlc3QxGzAZBgNVBAMMEmJvdC1ib3R0
bGUgdGVzdCBDQTAeFw0yNjExMjQwMDI0NDFaFw0zNjExMjEwMDI0NDFaMDkxGjAY
BgNVBAoMESBCb3QtQm90dGxlICBUZXN0MRswGQYDVQQDDBJib3QtYm90dGxlIHRl
c3QgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASE/cecRNp6ah3G95L25ivH
ubjzfCLgQSudZRNMB0yJ2WVMtzYtCpmhfHqNcKvzDUIJ0SW/Wk6JrjRHsLQ0SG47
o2MwYTAdBgNVHQ4EFgQU3MSg7xDDicp3C4RRt7yIUzWADXMwHwYDVR0jBBgwFoAU
3MSg7xDDicp3C4RRt7yIUzWADXMwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8E
BAMCAQYwCgYIKoZIzj0EAwIDSAAwRQIhAMi5KbK63mYiFVaOZk5ep3NInCELuRQE
0pymC4aoXA+eAiB3Ea0otw07SUoneqt7IN2jKssA3o+NUE9HF3xuIb7dBQ==
-----END CERTIFICATE-----
";

/// A trust in [`AUTHORITY`] and one root, which is the same.
pub fn trust() -> Trust {
    Trust::new(AUTHORITY, Arc::new(Roots::from_pem(AUTHORITY))).unwrap()
}

async fn certificates_stand_where_programs_look(bottle: Arc<dyn Bottle>) {
    let mut host = Host::new();
    host.visible.links = vec![GuestLink { at: at("/opt/bot-bottle/bin/claude"), target: "/usr/bin/true".into() }];
    let mut lines = Vec::new();
    let provisioned =
        provision(&host.plan(), Some(&trust()), &*bottle, &mut |notice: &Notice<'_>| lines.push(notice.to_string())).await;
    provisioned.unwrap_or_else(|error| panic!("{error}"));
    assert!(
        matches!(lines.as_slice(), [line] if line.contains(": SHA-256 3D:E3:EE:E8:") && line.contains(bottle.name().as_str()))
    );

    let file = |content: &str| MemoryEntry::File { mode: 0o644, content: content.as_bytes().to_vec() };
    let links = |target: &str| MemoryEntry::Link { target: target.into() };
    let bundle = "/etc/ssl/certs/ca-certificates.crt";
    let expected = [
        (bundle, file(&[AUTHORITY, AUTHORITY].concat())),
        ("/usr/local/share/ca-certificates/bot-bottle.crt", file(AUTHORITY)),
        ("/etc/ssl/certs/8d9147cb.0", links("/etc/ssl/certs/bot-bottle.pem")),
        ("/etc/ssl/cert.pem", links(bundle)),
        ("/etc/pki/tls/certs/ca-bundle.crt", links(bundle)),
        ("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", links(bundle)),
        ("/etc/pki/java/cacerts", links("/etc/ssl/certs/java/cacerts")),
        ("/opt/bot-bottle/bin/claude", links("/usr/bin/true")),
    ];
    for (place, expected) in expected {
        let found = look(&*bottle, place).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(found.entries().values().collect::<Vec<_>>(), [&expected], "{place}");
    }
    let store = look(&*bottle, "/etc/ssl/certs/java/cacerts").await.unwrap();
    assert!(store.file("").unwrap().starts_with(&[0xfe, 0xed, 0xfe, 0xed]));
}

async fn the_workspace_goes_where_the_manifest_says(bottle: Arc<dyn Bottle>) {
    let mut host = Host::new();
    (host.workspace, host.workspace_at) = (Some("project"), "/srv/deep/my app");
    let provisioned = run(&host, &*bottle).await;
    assert_eq!(provisioned.folder, at("/srv/deep/my app"));
    assert_eq!(read(&*bottle, "/srv/deep/my app/.git/HEAD").await, "ref: refs/heads/main\n");
    assert!(look(&*bottle, "/home/node/workspace").await.is_err());
    bottle.cp_in(&Tree::file("x", 0o644), &at("/srv/deep/my app/new"), User::Node).await.unwrap();
}

async fn codex_finds_its_files_and_skills(bottle: Arc<dyn Bottle>) {
    let mut host = Host::new();
    (host.template, host.skills, host.workspace) = (Template::Codex, vec!["review"], Some("project"));
    run(&host, &*bottle).await;
    let config = read(&*bottle, "/home/node/.codex/config.toml").await;
    assert!(config.contains("[projects.\"/home/node/workspace\"]\ntrust_level = \"trusted\""), "{config}");
    for folder in [".claude", ".agents"] {
        assert_eq!(read(&*bottle, &format!("/home/node/{folder}/skills/review/SKILL.md")).await, "how to review\n");
    }
}

async fn provisioning_twice_gives_the_same(bottle: Arc<dyn Bottle>) {
    let mut host = Host::new();
    (host.skills, host.workspace) = (vec!["review"], Some("project"));
    run(&host, &*bottle).await;
    let first = look(&*bottle, "/home/node").await.unwrap().into_entries();
    run(&host, &*bottle).await;
    assert_eq!(look(&*bottle, "/home/node").await.unwrap().into_entries(), first);
}

async fn each_copy_is_announced_before_it_is_made(bottle: Arc<dyn Bottle>) {
    let mut host = Host::new();
    (host.skills, host.workspace) = (vec!["tests", "review"], Some("project"));
    let mut lines = Vec::new();
    let plan = host.plan();
    fs::remove_dir_all(host.home.join("project")).unwrap();
    let result = provision(&plan, None, &*bottle, &mut |notice: &Notice<'_>| lines.push(notice.to_string())).await;
    assert!(result.is_err(), "the workspace is gone");
    let name = bottle.name();
    let project = host.home.join("project");
    let expected = [
        format!("copying skill tests into {name}:/home/node/.claude/skills/tests"),
        format!("copying skill review into {name}:/home/node/.claude/skills/review"),
        format!(
            "copying workspace {} into {name}:/home/node/workspace (left out: key: links that lead out of it, or special files)",
            project.display()
        ),
    ];
    assert_eq!(lines, expected);
}
