//! Limits that can be held are, by cgroups of the bottle's own; others are refused with a reason.

use std::fs;
use std::path::Path;

use bottle::{Backend, BottleName, BottleSpec, Exec, LaunchError, Limits, RootFs};

use crate::backend::backend;

fn spec(name: &str, limits: Limits) -> BottleSpec {
    BottleSpec { name: BottleName::parse(name).unwrap(), root: RootFs::Default, tools: Vec::new(), limits }
}

#[tokio::test]
async fn a_limit_that_cannot_be_held_is_refused_with_its_reason() {
    let capabilities = match backend().check().await {
        Ok(capabilities) => capabilities,
        Err(unavailable) => return testkit::require("userns", &unavailable.to_string()),
    };
    let cases = [
        ("memory", Limits { memory: Some(64 << 20), ..Limits::default() }, &capabilities.limits.memory),
        ("cpus", Limits { cpus: Some(1.0), ..Limits::default() }, &capabilities.limits.cpus),
        ("pids", Limits { pids: Some(64), ..Limits::default() }, &capabilities.limits.pids),
    ];
    for (name, limits, support) in cases {
        let launched = backend().launch(&spec(&format!("limits-{name}-{}", std::process::id()), limits)).await;
        match (support, launched) {
            (Ok(()), Ok(launched)) => launched.bottle.close().await.unwrap(),
            (Err(why), Err(LaunchError::Unsupported { what, reason, .. })) => {
                assert_eq!(what, format!("limits.{name}"));
                assert_eq!(&reason, why);
                assert!(reason.contains("root") || reason.contains("delegat"), "it says what to do: {reason}");
            }
            (support, launched) => panic!("{name}: {support:?} {:?}", launched.err()),
        }
    }
}

#[tokio::test]
async fn a_limit_that_no_bottle_fits_into_is_named() {
    let Ok(capabilities) = backend().check().await else { return testkit::require("userns", "no bottles here") };
    if let Err(reason) = &capabilities.limits.memory {
        return testkit::require("cgroup", reason);
    }
    let limits = Limits { memory: Some(64 << 10), ..Limits::default() };
    match backend().launch(&spec(&format!("limits-tiny-{}", std::process::id()), limits)).await.err() {
        Some(LaunchError::Failed { reason, .. }) => assert!(reason.contains("limits.memory was reached"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_larger_than_the_memory_limit_fills_the_disk_and_kills_nothing() {
    let Ok(capabilities) = backend().check().await else { return testkit::require("userns", "no bottles here") };
    if let Err(reason) = &capabilities.limits.memory {
        return testkit::require("cgroup", reason);
    }
    let limits = Limits { memory: Some(128 << 20), ..Limits::default() };
    let launched = backend().launch(&spec(&format!("limits-file-{}", std::process::id()), limits)).await.unwrap();
    let script = "head -c 256M /dev/zero >/tmp/x; echo $?; rm /tmp/x; echo still here";
    let output = launched.bottle.exec(Exec::new("/bin/sh").args(["-c", script])).await.unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(stdout, "1\nstill here\n", "{stderr}");
    assert!(stderr.contains("No space left on device"), "{stderr}");
    launched.bottle.close().await.unwrap();
}

#[tokio::test]
async fn a_bottles_cgroups_exist_while_it_runs_and_no_longer() {
    let Ok(capabilities) = backend().check().await else { return testkit::require("userns", "no bottles here") };
    if let Err(reason) = &capabilities.limits.pids {
        return testkit::require("cgroup", reason);
    }
    let name = format!("limits-groups-{}", std::process::id());
    let limits = Limits { memory: Some(64 << 20), cpus: Some(0.5), pids: Some(32), ..Limits::default() };
    let launched = backend().launch(&spec(&name, limits)).await.unwrap();
    let found = groups(Path::new("/sys/fs/cgroup"), &name);
    assert!(!found.is_empty());
    launched.bottle.close().await.unwrap();
    assert_eq!(groups(Path::new("/sys/fs/cgroup"), &name), Vec::<String>::new());
}

/// Cgroups for the bottle `name`, down to two levels.
fn groups(top: &Path, name: &str) -> Vec<String> {
    let entries =
        |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>();
    let two_levels = entries(top).into_iter().flat_map(|path| entries(&path).into_iter().chain([path]));
    two_levels
        .filter(|path| path.ends_with(format!("bot-bottle-{name}.{}", std::process::id())))
        .map(|path| path.display().to_string())
        .collect()
}
