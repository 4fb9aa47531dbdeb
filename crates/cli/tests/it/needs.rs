//! Where the tools are that tests run in bottles.

use std::path::{Path, PathBuf};

/// What a test needs to be there, or it is skipped.
pub enum Needs {
    /// Programs of the system.
    System(&'static [&'static str]),
    /// Something in the folder of installed toolchains.
    Installed(&'static str),
    /// An agent's program.
    Agent(&'static str),
    /// The toolchain that runs these tests.
    Cargo,
}

/// Where a tool is: what must be visible in the bottle, and shell lines that make it found.
pub struct Found {
    pub tools: Vec<PathBuf>,
    pub prelude: String,
}

/// Finds a tool.
///
/// # Errors
/// The component that is missing, and why, for [`testkit::require`].
pub fn find(needs: Needs) -> Result<Found, (&'static str, String)> {
    // The servers that they talk to are made with it.
    system("python3")?;
    let toolchains = installed().filter(|folder| folder.is_dir());
    let mut found = Found { tools: toolchains.clone().into_iter().collect(), prelude: String::new() };
    if let Some(folder) = &toolchains {
        found.prelude = format!("TOOLCHAINS={}\n", folder.canonicalize().unwrap().display());
    }
    match needs {
        Needs::System(programs) => programs.iter().try_for_each(|program| system(program))?,
        Needs::Installed(path) => {
            if !toolchains.is_some_and(|folder| folder.join(path).exists()) {
                return Err(("toolchains", format!("there is no {path} where BOT_BOTTLE_TEST_TOOLCHAINS points")));
            }
        }
        Needs::Agent(name) => {
            let folder = std::env::var_os("BOT_BOTTLE_TEST_AGENTS").map(PathBuf::from);
            let Some(folder) = folder.filter(|folder| folder.join("bin").join(name).exists()) else {
                return Err(("agents", format!("there is no {name} where BOT_BOTTLE_TEST_AGENTS points")));
            };
            let folder = folder.canonicalize().unwrap();
            found.prelude += &format!("export PATH={}:$PATH\n", folder.join("bin").display());
            found.tools.push(folder);
        }
        Needs::Cargo => {
            // rustup's cargo is a proxy; cargo itself knows where it lies, next to rustc.
            let output = std::process::Command::new("rustc").args(["--print", "sysroot"]).output();
            let root = output.ok().map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
            let Some(root) = root.filter(|root| root.join("bin/cargo").is_file()) else {
                return Err(("cargo", "no toolchain of Rust's own, with cargo in it".to_owned()));
            };
            found.prelude += &format!("export PATH={0}:$PATH CARGO={0}/cargo\n", root.join("bin").display());
            found.tools.push(root);
        }
    }
    Ok(found)
}

/// Bottles see the system's programs, not those of somebody's home.
fn system(program: &'static str) -> Result<(), (&'static str, String)> {
    let folders = ["/usr/local/bin", "/usr/bin", "/bin"].map(Path::new);
    if folders.iter().any(|folder| folder.join(program).exists()) {
        return Ok(());
    }
    Err((program, format!("{program} is not installed in the system")))
}

/// The folder with toolchains from pip and npm, and with what is compiled for these tests.
pub fn installed() -> Option<PathBuf> {
    std::env::var_os("BOT_BOTTLE_TEST_TOOLCHAINS").map(PathBuf::from)
}
