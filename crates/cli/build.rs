//! Links the compiler's runtime into the program where the machine has it as an archive.
//!
//! Of `libgcc_s.so` the standard library uses what unwinds a stack, which a release of this program never does (`panic = "abort"`).
//! Finding, mapping and relocating it takes a tenth of a millisecond, each time any command starts. A linker script of its name, in a
//! folder that is looked at before the system's, says what to take instead.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| {
        #[allow(clippy::disallowed_methods, reason = "cargo speaks to build scripts through their environment")]
        env::var(name).unwrap_or_default()
    };
    let is_gnu = variable("CARGO_CFG_TARGET_OS") == "linux" && variable("CARGO_CFG_TARGET_ENV") == "gnu";
    if !is_gnu || variable("HOST") != variable("TARGET") || !(has("libgcc_eh.a") && has("libgcc.a")) {
        return;
    }
    let folder = variable("OUT_DIR");
    #[allow(clippy::disallowed_methods, reason = "the build's own file, in the folder that cargo gave it")]
    let written = fs::write(Path::new(&folder).join("libgcc_s.so"), "INPUT(-lgcc_eh -lgcc)\n");
    if written.is_ok() {
        println!("cargo::rustc-link-search=native={folder}");
    }
}

/// Whether the compiler that links has this archive; it answers with the bare name when not.
fn has(archive: &str) -> bool {
    #[allow(clippy::disallowed_methods, reason = "asks the linker's driver where its own archives are")]
    let answer = Command::new("cc").arg(format!("-print-file-name={archive}")).output();
    answer.is_ok_and(|answer| Path::new(String::from_utf8_lossy(&answer.stdout).trim()).is_file())
}
