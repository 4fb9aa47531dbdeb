use std::path::Path;
use std::time::Duration;

use policy::TokenRef;
use secret::Secret;

use super::read;
use crate::CredentialError;
use crate::testing::Scene;

async fn run(scene: &Scene, argv: &[&str], deadline: Duration) -> Result<Secret, CredentialError> {
    let argv: Vec<String> = argv.iter().map(|argument| (*argument).to_owned()).collect();
    read(&TokenRef::Command(argv.clone()), &argv, scene.sources().host(), deadline).await
}

async fn shell(script: &str) -> Result<Secret, CredentialError> {
    run(&Scene::new(), &["sh", "-c", script], Duration::from_secs(60)).await
}

#[tokio::test]
async fn what_a_program_prints_is_the_credential() {
    assert_eq!(shell("echo tok-1").await, Ok(Secret::from("tok-1")));
    assert_eq!(shell("cat; echo tok-2; echo note >&2").await, Ok(Secret::from("tok-2")), "there is nothing to read from");
}

#[tokio::test]
async fn arguments_are_never_read_by_a_shell() {
    let scene = Scene::new();
    let printed = run(&scene, &["printf", "%s", "$(id);`id`"], Duration::from_secs(60)).await;
    assert_eq!(printed, Ok(Secret::from("$(id);`id`")));
}

#[tokio::test]
async fn a_failure_is_told_by_its_last_line_made_safe_and_never_by_what_was_printed() {
    let error = shell("echo canary-printed; echo first >&2; printf 'locked \\033]0;x\\007' >&2; exit 3").await.unwrap_err();
    assert_eq!(error.message, "command sh failed (exit status: 3): locked \\u{1b}]0;x\\u{7}");
    let error = shell("echo canary-printed; echo got canary-printed >&2; exit 1").await.unwrap_err();
    assert_eq!(error.message, "command sh failed (exit status: 1)");
    for script in ["echo canary; echo canary", "printf 'canary\\0'"] {
        let error = shell(script).await.unwrap_err();
        assert!(error.message.starts_with("command sh printed what") && !format!("{error:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn a_program_that_prints_too_much_or_nothing_is_ended() {
    let error = shell("echo $$; exec yes canary").await.unwrap_err();
    assert_eq!(error.message, "command sh printed more than 64 KB and was ended");

    let scene = Scene::new();
    let script = "sleep 1000 & echo $! > child; wait";
    let error = run(&scene, &["sh", "-c", script], Duration::from_millis(300)).await.unwrap_err();
    assert!(error.message.contains("and was ended") && error.hint.contains("unlock"), "{error:?}");
    let child = std::fs::read_to_string(scene.path("child")).unwrap();
    testkit::wait_until("what it started has ended too", Duration::from_secs(60), async || {
        let state = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
        state.is_empty() || state.contains(") Z ")
    })
    .await;
}

#[tokio::test]
async fn a_program_is_found_on_the_path_or_by_a_full_one_and_never_where_bot_bottle_was_started() {
    let scene = Scene::new();
    let program = scene.write("bin/show", b"#!/bin/sh\necho from-home\n");
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let minute = Duration::from_secs(60);
    assert_eq!(run(&scene, &["~/bin/show"], minute).await, Ok(Secret::from("from-home")));
    assert!(run(&scene, &["./bin/show"], minute).await.unwrap_err().message.contains("is not a full path"));
    let error = run(&scene, &["no-such-program-7f3a"], minute).await.unwrap_err();
    assert!(error.message.contains("cannot be started") && error.hint.contains("write its full path"), "{error:?}");
    let folder = run(&scene, &["pwd"], minute).await.unwrap();
    let home = std::fs::canonicalize(scene.home.path()).unwrap();
    assert_eq!(Path::new(std::str::from_utf8(folder.reveal()).unwrap()), home);
}
