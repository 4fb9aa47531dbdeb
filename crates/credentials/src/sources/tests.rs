use std::fs;
use std::time::Duration;

use policy::TokenRef;
use secret::Secret;

use crate::Sources;
use crate::testing::{Scene, write_private};

/// A command that counts how often it ran, and prints that.
fn counting(scene: &Scene) -> TokenRef {
    let count = scene.path("count");
    TokenRef::Command(vec!["sh".into(), "-c".into(), format!("echo x >> {0}; wc -l < {0}", count.display())])
}

fn impatient(scene: &mut Scene) -> Sources {
    scene.pace.again = Duration::ZERO;
    scene.sources()
}

#[tokio::test]
async fn a_variable_is_named_when_it_is_missing() {
    let sources = Scene::new().sources();
    let of = TokenRef::parse("TOKEN").unwrap();
    assert_eq!(sources.check(&of).await, Ok(()));
    assert_eq!(sources.current(&of).await, Ok(Secret::from("from-variable")));
    let error = sources.check(&TokenRef::parse("OTHER").unwrap()).await.unwrap_err();
    assert_eq!((error.message.as_str(), error.hint.contains("export OTHER=")), ("variable OTHER is not set", true));
}

#[tokio::test]
async fn a_command_runs_once_for_all_who_ask() {
    let scene = Scene::new();
    let (sources, of) = (scene.sources(), counting(&scene));
    let (one, two, three) = tokio::join!(sources.current(&of), sources.current(&of), sources.check(&of));
    assert_eq!((one, two, three), (Ok(Secret::from("1")), Ok(Secret::from("1")), Ok(())));
    assert_eq!(sources.clone().current(&of).await, Ok(Secret::from("1")));
}

#[tokio::test]
async fn a_rejected_value_is_asked_for_again_but_not_before_its_time() {
    let mut scene = Scene::new();
    let (sources, of) = (scene.sources(), counting(&scene));
    let first = sources.current(&of).await.unwrap();
    sources.rejected(&of, &first).await;
    assert_eq!(sources.current(&of).await.unwrap(), first);

    fs::remove_file(scene.path("count")).unwrap();
    let sources = impatient(&mut scene);
    let first = sources.current(&of).await.unwrap();
    sources.rejected(&of, &Secret::from("another")).await;
    assert_eq!(sources.current(&of).await.unwrap(), first, "what was rejected had been replaced already");
    sources.rejected(&of, &first).await;
    assert_eq!(sources.current(&of).await, Ok(Secret::from("2")));
}

#[tokio::test]
async fn an_error_is_remembered_for_requests_but_not_for_a_check() {
    let scene = Scene::new();
    let (sources, of) = (scene.sources(), TokenRef::File("~/token".into()));
    assert!(sources.current(&of).await.is_err());
    write_private(&scene.path("token"), b"tok\n");
    assert!(sources.current(&of).await.is_err(), "an agent cannot have a source asked over and over");
    assert_eq!(sources.check(&of).await, Ok(()));
    assert_eq!(sources.current(&of).await, Ok(Secret::from("tok")));
}

#[tokio::test]
async fn a_request_that_is_given_up_does_not_have_the_command_run_again() {
    let scene = Scene::new();
    let (go, count) = (scene.path("go"), scene.path("count"));
    // Opening a FIFO to read waits for its writer.
    rustix::fs::mknodat(rustix::fs::CWD, &go, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    let script = format!("echo x >> {}; cat {}; echo tok", count.display(), go.display());
    let (sources, of) = (scene.sources(), TokenRef::Command(vec!["sh".into(), "-c".into(), script]));
    for _ in 0..3 {
        let asked = tokio::time::timeout(Duration::from_millis(100), sources.current(&of)).await;
        assert!(asked.is_err(), "it waits for the command");
    }
    let opened = tokio::task::spawn_blocking(move || fs::OpenOptions::new().write(true).open(go).unwrap());
    drop(opened.await.unwrap());
    assert_eq!(sources.current(&of).await, Ok(Secret::from("tok")));
    assert_eq!(fs::read(count).unwrap(), b"x\n");
}

#[tokio::test]
async fn no_value_is_shown() {
    let scene = Scene::new();
    write_private(&scene.path("token"), b"canary-file\n");
    let sources = scene.sources();
    let of = TokenRef::File("~/token".into());
    let value = sources.current(&of).await.unwrap();
    assert_eq!(value, Secret::from("canary-file"));
    assert!(!format!("{sources:?} {value:?} {of:?}").contains("canary"));
}
