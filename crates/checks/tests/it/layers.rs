//! The layers: who may depend on whom.

use std::collections::BTreeMap;
use std::process::Command;

use crate::source;

/// Every crate and the crates of ours it may depend on; `secret` and `shown` are open to all. Dev-dependencies are free. A crate that is not
/// here does not exist; `*` at the end of a name stands for any rest.
const LAYERS: &[(&str, &[&str])] = &[
    // 5
    ("bot-bottle", &["*"]),
    // 4
    (
        "session",
        &["agents", "provision", "egress", "credentials", "gitgate", "supervisor", "manifest", "store", "policy", "bottle"],
    ),
    // 3
    ("provision", &["bottle", "agents"]),
    ("agents", &["policy", "manifest", "bottle"]),
    ("backend-*", &["bottle", "helper", "carried"]),
    // 2
    ("egress", &["bottle", "policy", "scan", "store"]),
    ("credentials", &["policy", "store"]),
    ("gitgate", &["bottle", "policy", "scan", "store"]),
    ("supervisor", &["bottle", "policy", "scan", "store"]),
    // 1
    ("helper", &["bottle"]),
    ("carried", &[]),
    ("relay", &[]),
    ("manifest", &["policy", "owner"]),
    ("store", &["policy", "owner"]),
    // 0
    ("bottle", &[]),
    ("owner", &[]),
    ("policy", &[]),
    ("scan", &[]),
    ("secret", &[]),
    ("shown", &[]),
    // dev
    ("testkit", &["bottle"]),
    ("checks", &[]),
];
/// Crates that every other may depend on.
const OPEN: [&str; 2] = ["secret", "shown"];
/// Crates that no other may depend on outside its tests.
const DEV: [&str; 2] = ["testkit", "checks"];

#[test]
fn crates_depend_only_on_what_their_layer_allows() {
    let edges = edges();
    let ours: Vec<_> = edges.keys().cloned().collect();
    let mut broken = Vec::new();
    for (from, targets) in &edges {
        let Some((_, allowed)) = LAYERS.iter().find(|(pattern, _)| matches(pattern, from)) else {
            broken.push(format!("{from} is in no layer: put it into LAYERS and into ARCHITECTURE.md"));
            continue;
        };
        for to in targets.iter().filter(|to| ours.contains(to)) {
            if DEV.contains(&to.as_str()) {
                broken.push(format!("{from} -> {to}: {to} is for tests; make it a dev-dependency"));
            } else if !OPEN.contains(&to.as_str()) && !allowed.iter().any(|pattern| matches(pattern, to)) {
                broken.push(format!("{from} -> {to}: {from} may depend on {allowed:?} alone (ARCHITECTURE.md, layers)"));
            }
        }
    }
    assert!(ours.len() > 5, "only {ours:?} found: the check looks in the wrong place");
    assert!(broken.is_empty(), "these edges are not in the table of layers:\n{}", broken.join("\n"));
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

/// Our crates, each with what it depends on outside tests.
fn edges() -> BTreeMap<String, Vec<String>> {
    #[allow(clippy::disallowed_methods, reason = "this test owns its call of cargo")]
    let mut cargo = Command::new(env!("CARGO"));
    let output = cargo.args(["metadata", "--format-version=1", "--no-deps", "--offline"]).current_dir(source::project()).output();
    let output = output.expect("cargo metadata runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata's JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().expect("a list of packages").iter();
    packages
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("a list of dependencies").iter();
            let outside_tests = dependencies.filter(|dependency| dependency["kind"] != "dev");
            (text(&package["name"]), outside_tests.map(|dependency| text(&dependency["name"])).collect())
        })
        .collect()
}
