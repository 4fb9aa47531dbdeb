//! How a test says that this machine lacks something.

use std::fs::OpenOptions;
use std::io::Write;

/// Components that a run must not miss, separated by spaces or commas: `userns root cgroup`.
pub const REQUIRED: &str = "BOT_BOTTLE_REQUIRE";
/// File that gets one line `TEST<tab>COMPONENT<tab>REASON` for each test that was skipped; `./test` reads it for its summary.
pub const SKIPS: &str = "BOT_BOTTLE_TEST_SKIPS";

/// Ends a test that cannot run here, to be used as the test's last step:
///
/// ```no_run
/// # fn user_namespaces() -> bool { false }
/// if !user_namespaces() {
///     return testkit::require("userns", "user namespaces are switched off");
/// }
/// ```
///
/// Prints `skip: TEST: COMPONENT: REASON`. Components in use: `userns`, `root`, `subid`, `cgroup`, `overlay`, `landlock`, `agents`,
/// `docker`, `gvisor`, `quota`, and the names of programs (`git`, `python3`, `node`).
///
/// # Panics
/// When `component` is named in `BOT_BOTTLE_REQUIRE`: a run that must have it fails instead of passing with less.
#[track_caller]
pub fn require(component: &str, reason: &str) {
    let test = test_name();
    assert!(!is_required(component), "{test}: {component} is named in {REQUIRED} but missing: {reason}");
    eprintln!("skip: {test}: {component}: {reason}");
    record(&test, component, reason);
}

/// Whether this run must not do without `component`.
pub fn is_required(component: &str) -> bool {
    let wanted = variable(REQUIRED).unwrap_or_default();
    wanted.split([' ', ',', '\n', '\t']).any(|name| name == component)
}

fn record(test: &str, component: &str, reason: &str) {
    let Some(path) = variable(SKIPS) else { return };
    let line = format!("{test}\t{component}\t{}\n", reason.replace(['\n', '\t'], " "));
    // Tests are processes that run side by side: one write in append mode keeps lines whole.
    let written = OpenOptions::new().create(true).append(true).open(&path).and_then(|mut file| file.write_all(line.as_bytes()));
    assert!(written.is_ok(), "cannot note a skipped test in {path}: {written:?}");
}

/// nextest says it in the environment; libtest names the thread after the test.
fn test_name() -> String {
    let by_thread = || std::thread::current().name().map(str::to_owned);
    variable("NEXTEST_TEST_NAME").or_else(by_thread).unwrap_or_else(|| "a test".to_owned())
}

#[allow(clippy::disallowed_methods, reason = "what a test run may miss is said in its environment alone")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
