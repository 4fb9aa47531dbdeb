//! The backend that these tests run on: the default, or the one that `./test` names, which runs them once for each.

use std::collections::BTreeSet;
use std::process::Command;

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether bottles are of the default backend, which shows programs of the host.
pub fn is_native() -> bool {
    variable("BOT_BOTTLE_TEST_BACKEND").is_none()
}

/// Whether a test is to go on that has nothing to say on other backends, for this reason.
pub fn only_native(why: &str) -> bool {
    if !is_native() {
        testkit::require("native", why);
    }
    is_native()
}

/// What the program is told by its environment.
pub fn variables() -> Vec<(&'static str, String)> {
    let Some(backend) = variable("BOT_BOTTLE_TEST_BACKEND") else { return Vec::new() };
    let given = [
        ("BOT_BOTTLE_RUNTIME", variable("BOT_BOTTLE_TEST_RUNTIME")),
        ("DOCKER_HOST", variable("BOT_BOTTLE_TEST_DOCKER")),
        ("BOT_BOTTLE_BASE_IMAGE", variable("BOT_BOTTLE_TEST_NODE_IMAGE")),
        // The tests' own engine has no other.
        ("BOT_BOTTLE_BUILD_NETWORK", Some("host".to_owned())),
    ];
    let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
    given.chain([("BOT_BOTTLE_BACKEND", backend)]).collect()
}

/// Containers of the bottle of this name, running or not; none on the default backend.
pub fn containers(bottle: &str) -> BTreeSet<String> {
    listed(bottle, &["--all"])
}

/// Those of them that run.
pub fn running(bottle: &str) -> BTreeSet<String> {
    listed(bottle, &[])
}

fn listed(bottle: &str, options: &[&str]) -> BTreeSet<String> {
    let Some(engine) = variable("BOT_BOTTLE_TEST_DOCKER").filter(|_| !is_native()) else { return BTreeSet::new() };
    let filter = format!("label=bot-bottle.bottle={bottle}");
    let output =
        Command::new("docker").args(["-H", &engine, "ps", "--quiet", "--filter", &filter]).args(options).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The host's ids of the processes in these containers.
pub fn processes_in(containers: &BTreeSet<String>) -> Vec<String> {
    let engine = variable("BOT_BOTTLE_TEST_DOCKER").unwrap_or_default();
    let of = |container: &String| {
        let output = Command::new("docker").args(["-H", &engine, "top", container, "-o", "pid"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().skip(1).map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    containers.iter().flat_map(of).collect()
}
