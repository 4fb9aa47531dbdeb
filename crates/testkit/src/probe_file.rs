use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The probe's binary for this test run; built when it is missing or older than its sources.
///
/// `cargo test -p CRATE` builds no binary of another crate, so a backend's tests cannot count on it.
///
/// # Panics
/// When it cannot be built.
pub fn probe_file() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own file");
    // TARGET/PROFILE/deps/it-0123456789abcdef
    let profile = test.parent().and_then(Path::parent).expect("a test lies in TARGET/PROFILE/deps");
    let probe = profile.join("probe");
    if is_fresh(&probe) {
        return probe;
    }
    build(profile);
    assert!(probe.is_file(), "building the probe did not make {}", probe.display());
    probe
}

fn is_fresh(probe: &Path) -> bool {
    let Ok(built) = probe.metadata().and_then(|metadata| metadata.modified()) else { return false };
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    [sources.join("probe"), sources.join("bin")].iter().all(|folder| newest(folder).is_none_or(|changed| changed <= built))
}

/// When something in `folder` last changed; `None` without sources, as when tests run from a copy.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = folder.read_dir().ok()?;
    entries.filter_map(|entry| entry.ok()?.metadata().ok()?.modified().ok()).max()
}

#[expect(clippy::disallowed_methods, reason = "building what it tests is this module's task")]
fn build(profile: &Path) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = profile.parent().expect("a profile's folder lies in the target folder");
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "testkit", "--bin", "probe", "--manifest-path"]);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).arg("--target-dir").arg(target);
    if profile.file_name().is_some_and(|name| name == "release") {
        command.arg("--release");
    }
    let status = command.status().expect("cargo runs");
    assert!(status.success(), "building the probe: {status}");
}
