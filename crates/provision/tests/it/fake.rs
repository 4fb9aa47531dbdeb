//! The scenarios on the fake, and what only the fake can tell: the calls it got, and whose the files are.

use std::path::Path;
use std::sync::Arc;

use agents::GuestLink;
use bottle::testing::{FakeBackend, FakeBottle, Recorded};
use bottle::{Bottle, BottleName, CopyError, GuestPath, Tree, User};
use provision::{Notice, ProvisionError, provision};

use crate::host::Host;
use crate::scenarios;

fn fresh() -> Arc<FakeBottle> {
    let name = BottleName::parse("fixer-4k2p9").unwrap();
    FakeBackend::new().make(&name).0
}

#[tokio::test]
async fn every_scenario_passes_on_the_fake() {
    assert!(!scenarios::ALL.is_empty());
    for (name, scenario) in scenarios::ALL {
        eprintln!("scenario {name}");
        scenario(fresh()).await;
    }
}

#[tokio::test]
async fn many_skills_are_one_copy() {
    let mut host = Host::new();
    let names: Vec<String> = (0..40).map(|number| format!("skill-{number}")).collect();
    for name in &names {
        host.write(&format!(".claude/skills/{name}/SKILL.md"), name);
    }
    host.skills = names.into_iter().map(|name| &*name.leak()).collect();
    let bottle = fresh();
    provision(&host.plan(), None, &*bottle, &mut |_: &Notice<'_>| {}).await.unwrap();
    let calls = bottle.recorded();
    assert!(matches!(calls.as_slice(), [Recorded::CopiedIn { owner: User::Node, members: 43, .. }]), "{calls:?}");
}

#[tokio::test]
async fn links_and_certificates_are_one_copy() {
    let mut host = Host::new();
    let link = GuestPath::parse("/opt/bot-bottle/bin/claude").unwrap();
    host.visible.links = vec![GuestLink { at: link, target: "/usr/bin/true".into() }];
    let bottle = fresh();
    provision(&host.plan(), Some(&scenarios::trust()), &*bottle, &mut |_: &Notice<'_>| {}).await.unwrap();
    let calls = bottle.recorded();
    let owners = [User::Node, User::Root];
    assert!(
        calls.iter().zip(owners).all(|(call, user)| matches!(call, Recorded::CopiedIn { owner, .. } if *owner == user))
            && calls.len() == 2,
        "{calls:?}"
    );
    let root = GuestPath::parse("/").unwrap();
    let bundle = bottle.files().look(User::Root, &root, Path::new("/etc/ssl/certs/ca-certificates.crt")).unwrap();
    assert_eq!(bundle.owner, User::Root);
}

#[tokio::test]
async fn certificates_that_cannot_be_put_in_place_fail_the_provisioning() {
    let bottle = fresh();
    let planted = GuestPath::parse("/etc/ssl/certs").unwrap();
    bottle.cp_in(&Tree::file("no folder", 0o644), &planted, User::Root).await.unwrap();
    let error = provision(&Host::new().plan(), Some(&scenarios::trust()), &*bottle, &mut |_: &Notice<'_>| {}).await.unwrap_err();
    assert!(matches!(error, ProvisionError::Roots(CopyError::Guest { .. })), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("certificates") && text.contains("/etc/ssl/certs"), "{text}");
}

#[tokio::test]
async fn the_agents_files_are_nodes_and_the_links_are_roots() {
    let mut host = Host::new();
    (host.prompt, host.skills, host.workspace) = ("x", vec!["review"], Some("project"));
    let link = GuestPath::parse("/opt/bot-bottle/bin/claude").unwrap();
    host.visible.links = vec![GuestLink { at: link, target: "/usr/bin/true".into() }];
    let bottle = fresh();
    provision(&host.plan(), None, &*bottle, &mut |_: &Notice<'_>| {}).await.unwrap();
    let root = GuestPath::parse("/").unwrap();
    let owner = |path: &str| bottle.files().look(User::Root, &root, Path::new(path)).unwrap().owner;
    for path in [".bot-bottle-prompt.txt", ".claude", ".claude/skills", ".claude/skills/review/bin/run", "workspace/.git/HEAD"] {
        assert_eq!(owner(&format!("/home/node/{path}")), User::Node, "{path}");
    }
    assert_eq!(owner("/opt/bot-bottle/bin"), User::Root);
    assert_eq!(owner("/opt/bot-bottle/bin/claude"), User::Root);
}
