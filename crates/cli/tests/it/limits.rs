//! Limits that a bottle runs into are told: what dies of them cannot say so itself.

use crate::elsewhere::has_own_kernel;
use crate::scene::{SHELL, Scene};

fn limited(limits: &str) -> Option<Scene> {
    let bottle = format!("{SHELL}limits:\n{limits}");
    let scene = Scene::bare().bottle("b", &bottle).agent("a", "bottle: b\n", "");
    let ran = scene.run(&["start", "a", "--dry-run", "--headless"]);
    if ran.code != 0 {
        // gVisor's processes are none of the host's to count.
        testkit::require(if has_own_kernel() { "groups of an own kernel" } else { "cgroup" }, ran.stderr.trim());
        return None;
    }
    Some(scene)
}

#[test]
fn an_agent_killed_for_its_memory() {
    let Some(scene) = limited("  memory: 64M\n") else { return };
    // A line without an end is held whole.
    let ran = scene.script("exec tail -n 1 /dev/zero");
    // A kernel of the bottle's own is one process to the host's, which kills it whole.
    assert_eq!(ran.code, if has_own_kernel() { 125 } else { 137 }, "{}", ran.stderr);
    assert!(ran.stderr.contains("note: limits.memory was reached"), "{}", ran.stderr);
    scene.assert_nothing_left();
}

#[test]
fn processes_that_were_refused() {
    let Some(scene) = limited("  pids: 20\n") else { return };
    let ran = scene.script("for i in $(seq 50); do sleep 1000 & done; true");
    assert!(ran.stderr.contains("note: limits.pids was reached"), "{}", ran.stderr);
    scene.assert_nothing_left();
}

#[test]
fn limits_that_were_not_reached_are_not_mentioned() {
    let limits = if has_own_kernel() { "  memory: 512M\n" } else { "  memory: 512M\n  pids: 200\n" };
    let Some(scene) = limited(limits) else { return };
    let ran = scene.script("true");
    assert!(ran.code == 0 && !ran.stderr.contains("was reached"), "{}", ran.stderr);
}
