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

/// Whether bottles have a kernel of their own, gVisor's: then programs reach the proxy alone, nobody answers what names mean, and what
/// `/proc` says on the host is said of the kernel.
pub fn has_own_kernel() -> bool {
    variable("BOT_BOTTLE_TEST_RUNTIME").is_some_and(|runtime| runtime == "runsc")
}

/// Whether a test is to go on that has nothing to say where programs reach the proxy alone, for this reason.
pub fn only_transparent(why: &str) -> bool {
    if has_own_kernel() {
        testkit::require("transparent", why);
    }
    !has_own_kernel()
}

/// What must be recorded of attempts past the proxy: all of it where they arrive, nothing where there is no way but the proxy.
pub fn recorded(count: usize) -> usize {
    if has_own_kernel() { 0 } else { count }
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

/// Has the engine hold everything in a container still, its first process too (`freezer`).
pub fn freeze(container: &str) {
    let engine = variable("BOT_BOTTLE_TEST_DOCKER").unwrap();
    let output = Command::new("docker").args(["-H", &engine, "pause", container]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Whether a container is a relay's, by its label.
pub fn is_relay(container: &str) -> bool {
    let engine = variable("BOT_BOTTLE_TEST_DOCKER").unwrap();
    let format = "{{index .Config.Labels \"bot-bottle.role\"}}";
    let output = Command::new("docker").args(["-H", &engine, "inspect", "--format", format, container]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout.trim_ascii() == b"relay"
}

fn listed(bottle: &str, options: &[&str]) -> BTreeSet<String> {
    let Some(engine) = variable("BOT_BOTTLE_TEST_DOCKER").filter(|_| !is_native()) else { return BTreeSet::new() };
    let filter = format!("label=bot-bottle.bottle={bottle}");
    let output = Command::new("docker")
        .args(["-H", &engine, "ps", "--quiet", "--no-trunc", "--filter", &filter])
        .args(options)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The host's ids of the processes in these containers, by the control groups that they are held in: what a runtime says of itself
/// (`docker top`) are the numbers of its own kernel.
pub fn processes_in(containers: &BTreeSet<String>) -> Vec<String> {
    let numbers = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let are_in = |process: &String| {
        let groups = std::fs::read_to_string(format!("/proc/{process}/cgroup")).unwrap_or_default();
        containers.iter().any(|container| groups.contains(container))
    };
    numbers.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).filter(are_in).collect()
}
