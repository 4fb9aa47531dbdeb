//! What a killed session leaves is found, and removed; what runs is left alone.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use bottle::{Backend, BottleName, BottleSpec, Leftover, Limits, RootFs};

use crate::backend::backend;

const NAME: &str = "BOT_BOTTLE_TEST_NAME";

fn spec(name: &str) -> BottleSpec {
    let limits = Limits { memory: Some(256 << 20), pids: Some(64), cpus: Some(1.0), ..Limits::default() };
    BottleSpec { name: BottleName::parse(name).unwrap(), root: RootFs::Default, tools: Vec::new(), limits }
}

async fn of(name: &str) -> Vec<Leftover> {
    let all = backend().leftovers().await.unwrap();
    all.into_iter().filter(|leftover| leftover.bottle.as_str() == name).collect()
}

#[tokio::test]
async fn the_cgroups_of_a_killed_session_are_found_and_removed() {
    let capabilities = match backend().check().await {
        Ok(capabilities) => capabilities,
        Err(unavailable) => return testkit::require("userns", &unavailable.to_string()),
    };
    if let Err(reason) = &capabilities.limits.pids {
        return testkit::require("cgroup", reason);
    }
    let name = format!("leftover-{}", std::process::id());
    let mut session = session(&name);
    let lines = BufReader::new(session.stdout.as_mut().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "ready"), "the session launches");
    assert_eq!(of(&name).await, [], "what runs is no leftover");
    session.kill().unwrap();
    session.wait().unwrap();
    // At once, though its processes may still be ending.
    let found = of(&name).await;
    assert!(!found.is_empty());
    for leftover in &found {
        assert!(leftover.what.contains(&name), "{leftover:?}");
        backend().remove(leftover).await.unwrap();
    }
    assert_eq!(of(&name).await, []);
    // Once more is no error: somebody else may have cleaned up meanwhile.
    backend().remove(&found[0]).await.unwrap();
}

#[tokio::test]
async fn what_is_no_leftover_is_not_removed() {
    let Ok(capabilities) = backend().check().await else { return testkit::require("userns", "no bottles here") };
    if let Err(reason) = &capabilities.limits.pids {
        return testkit::require("cgroup", reason);
    }
    let name = format!("running-{}", std::process::id());
    let launched = backend().launch(&spec(&name)).await.unwrap();
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let places =
        ["/sys/fs/cgroup/pids/", "/sys/fs/cgroup/"].map(|parent| format!("{parent}bot-bottle-{name}.{}", std::process::id()));
    let places = places.into_iter().filter(|place| std::path::Path::new(place).exists());
    let places: Vec<String> = places.collect();
    assert!(!places.is_empty(), "the bottle has cgroups");
    for id in places.into_iter().chain([folder.path().display().to_string()]) {
        let forged = Leftover { bottle: BottleName::parse(&name).unwrap(), what: "cgroup".to_owned(), id };
        assert!(backend().remove(&forged).await.is_err(), "{forged:?}");
    }
    assert!(folder.path().exists());
    launched.bottle.close().await.unwrap();
}

#[allow(clippy::disallowed_methods, reason = "the test runs itself as the session to be killed")]
fn session(name: &str) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["leftovers::a_session", "--exact", "--ignored", "--nocapture"]).env(NAME, name);
    command.stdout(Stdio::piped()).spawn().unwrap()
}

#[tokio::test]
#[ignore = "a part of the test beside it, which starts it"]
#[allow(clippy::disallowed_methods, reason = "the test tells its part by a variable")]
async fn a_session() {
    let Ok(name) = std::env::var(NAME) else { return };
    let _launched = backend().launch(&spec(&name)).await.unwrap();
    println!("\nready");
    std::future::pending::<()>().await;
}
