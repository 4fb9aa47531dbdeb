use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The probe's binary for this test run; built when it is missing or older than its sources.
///
/// # Panics
/// When it cannot be built.
pub fn probe_file() -> PathBuf {
    program_file("testkit", "probe", &["testkit/src/probe", "testkit/src/bin"])
}

/// The stand-in for smolvm for this test run; built when it is missing or older than its sources.
pub(crate) fn stand_in_file() -> PathBuf {
    program_file("testkit", "smolvm-stand-in", &["testkit/src/smolvm", "testkit/src/bin"])
}

/// The native backend's helper for this test run, for crates that do not build it themselves. `BOT_BOTTLE_TEST_HELPER` names
/// another.
///
/// # Panics
/// When it cannot be built.
#[expect(clippy::disallowed_methods, reason = "where copied tests find the helper is said in their environment alone")]
pub fn helper_file() -> PathBuf {
    let named = std::env::var_os("BOT_BOTTLE_TEST_HELPER").map(PathBuf::from);
    named.unwrap_or_else(|| {
        program_file("backend-native", "bot-bottle-helper", &["backend-native/src", "backend-native/src/inside", "helper/src"])
    })
}

/// `cargo test -p CRATE` builds no binary of another crate, so a test cannot count on it.
fn program_file(package: &str, name: &str, sources: &[&str]) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own file");
    // TARGET/PROFILE/deps/it-0123456789abcdef
    let profile = test.parent().and_then(Path::parent).expect("a test lies in TARGET/PROFILE/deps");
    let program = profile.join(name);
    if is_fresh(&program, sources) {
        return program;
    }
    build(profile, package, name);
    assert!(program.is_file(), "building {name} did not make {}", program.display());
    program
}

fn is_fresh(program: &Path, sources: &[&str]) -> bool {
    let Ok(built) = program.metadata().and_then(|metadata| metadata.modified()) else { return false };
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"));
    sources.iter().all(|folder| newest(&crates.join(folder)).is_none_or(|changed| changed <= built))
}

/// When something in `folder` last changed; `None` without sources, as when tests run from a copy.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = folder.read_dir().ok()?;
    entries.filter_map(|entry| entry.ok()?.metadata().ok()?.modified().ok()).max()
}

#[expect(clippy::disallowed_methods, reason = "building what it tests is this module's task")]
fn build(profile: &Path, package: &str, name: &str) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = profile.parent().expect("a profile's folder lies in the target folder");
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", package, "--bin", name, "--manifest-path"]);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).arg("--target-dir").arg(target);
    if profile.file_name().is_some_and(|name| name == "release") {
        command.arg("--release");
    }
    let status = command.status().expect("cargo runs");
    assert!(status.success(), "building {name}: {status}");
}
