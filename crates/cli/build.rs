//! Two things that make the program begin sooner, where the machine that builds has what they need.
//!
//! The compiler's runtime is linked in. Of `libgcc_s.so` the standard library uses what unwinds a stack, which a release of this
//! program never does (`panic = "abort"`). Finding, mapping and relocating it takes a tenth of a millisecond, each time any command
//! starts. A linker script of its name, in a folder that is looked at before the system's, says what to take instead.
//!
//! Addresses that the loader has to write (of functions in tables, of texts in messages) are listed as bits instead of 24 bytes each:
//! half a megabyte that every start of every command reads, the helper's in each bottle too. The C library knows that form (DT_RELR)
//! since 2.36; a program that is linked so says which it needs, and an older one refuses it by name.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| {
        #[allow(clippy::disallowed_methods, reason = "cargo speaks to build scripts through their environment")]
        env::var(name).unwrap_or_default()
    };
    let is_gnu = variable("CARGO_CFG_TARGET_OS") == "linux" && variable("CARGO_CFG_TARGET_ENV") == "gnu";
    if !is_gnu || variable("HOST") != variable("TARGET") {
        return;
    }
    if loader_knows_packed_addresses() {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    if !(has("libgcc_eh.a") && has("libgcc.a")) {
        return;
    }
    let folder = variable("OUT_DIR");
    #[allow(clippy::disallowed_methods, reason = "the build's own file, in the folder that cargo gave it")]
    let written = fs::write(Path::new(&folder).join("libgcc_s.so"), "INPUT(-lgcc_eh -lgcc)\n");
    if written.is_ok() {
        println!("cargo::rustc-link-search=native={folder}");
    }
}

/// Whether the compiler that links has this archive.
fn has(archive: &str) -> bool {
    path_of(archive).is_file()
}

/// The C library says so by a version of that name, which the linker then asks for.
fn loader_knows_packed_addresses() -> bool {
    const VERSION: &[u8] = b"GLIBC_ABI_DT_RELR";
    fs::read(path_of("libc.so.6")).is_ok_and(|library| library.windows(VERSION.len()).any(|bytes| bytes == VERSION))
}

/// Where the linker's driver takes a library from; the bare name when it has none.
fn path_of(library: &str) -> PathBuf {
    #[allow(clippy::disallowed_methods, reason = "asks the linker's driver where its own libraries are")]
    let answer = Command::new("cc").arg(format!("-print-file-name={library}")).output();
    answer.map(|answer| PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim())).unwrap_or_default()
}
