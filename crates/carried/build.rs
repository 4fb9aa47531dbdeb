//! Builds the programs that run inside containers, statically linked, for the crate to carry.
//!
//! By cargo itself, into a folder of its own (the outer cargo holds the usual one), from the same lock file and without network:
//! whatever they need the outer build has fetched already, because the backends need it too. `+crt-static` works with the GNU
//! target that Rust ships for Linux, so no other target has to be installed (`rustc` book, "Linkage", static and dynamic C
//! runtimes).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Package, and its program.
const PROGRAMS: [(&str, &str); 2] = [("helper", "bot-bottle-contained"), ("relay", "bot-bottle-relay")];
/// What else goes into them, below the project's folder.
const SOURCES: [&str; 5] = ["Cargo.toml", "Cargo.lock", "crates/helper", "crates/relay", "crates/carried/build.rs"];

fn main() {
    let project = PathBuf::from(variable("CARGO_MANIFEST_DIR")).join("../..");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", project.join(source).display());
    }
    // The one place that decides for which machine they are: the one that bot-bottle itself is built for, because bottles run on
    // the kernel of the machine that it runs on.
    let target = variable("TARGET");
    let out = PathBuf::from(variable("OUT_DIR"));
    if !target.contains("linux") {
        for (_, program) in PROGRAMS {
            put(&out.join(program), &[]);
        }
        return;
    }
    let folder = out.join("target");
    build(&project, &target, &folder);
    for (_, program) in PROGRAMS {
        let built = folder.join(&target).join("release").join(program);
        let bytes = fs::read(&built).unwrap_or_else(|error| stop(&format!("reading {}: {error}", built.display())));
        put(&out.join(program), &bytes);
    }
}

fn build(project: &Path, target: &str, folder: &Path) {
    #[allow(clippy::disallowed_methods, reason = "this script owns the inner cargo")]
    let mut cargo = Command::new(variable("CARGO"));
    cargo.current_dir(project).args(["build", "--release", "--locked", "--offline", "--quiet", "--bins"]);
    cargo.args(["--target", target]).arg("--target-dir").arg(folder);
    for (package, _) in PROGRAMS {
        cargo.args(["--package", package]);
    }
    // What the outer call set for its own crates (clippy's driver, a coverage run's flags) is not for these.
    for name in ["RUSTC_WORKSPACE_WRAPPER", "RUSTC_WRAPPER", "RUSTFLAGS", "CLIPPY_ARGS", "CLIPPY_CONF_DIR", "RUSTDOCFLAGS"] {
        cargo.env_remove(name);
    }
    #[allow(clippy::disallowed_methods, reason = "cargo speaks to build scripts through their environment")]
    let outer = env::vars_os();
    for (name, _) in outer.filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_")) {
        // CARGO_HOME and the network's settings stay: they say where the fetched crates are.
        if !["CARGO_HOME", "CARGO_MAKEFLAGS"].contains(&name.to_string_lossy().as_ref())
            && !is_configuration(&name.to_string_lossy())
        {
            cargo.env_remove(name);
        }
    }
    // Small before fast: they copy bytes and make system calls.
    cargo
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s")
        .env("CARGO_PROFILE_RELEASE_LTO", "fat")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
    cargo.env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static");
    match cargo.status() {
        Ok(status) if status.success() => {}
        Ok(status) => stop(&format!("building the programs for containers: {status}")),
        Err(error) => stop(&format!("starting cargo: {error}")),
    }
}

fn is_configuration(name: &str) -> bool {
    ["CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTRIES_", "CARGO_SOURCE_"].iter().any(|start| name.starts_with(start))
}

/// Only when it differs: whatever includes it is then not built again.
fn put(path: &Path, bytes: &[u8]) {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return;
    }
    #[allow(clippy::disallowed_methods, reason = "a build script writes to its own folder")]
    let written = fs::write(path, bytes);
    if let Err(error) = written {
        stop(&format!("writing {}: {error}", path.display()));
    }
}

#[allow(clippy::disallowed_methods, reason = "cargo speaks to build scripts through their environment")]
fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| stop(&format!("cargo has not set {name}")))
}

fn stop(reason: &str) -> ! {
    println!("cargo::error={reason}");
    std::process::exit(1)
}
