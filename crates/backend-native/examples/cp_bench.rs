//! Times `cp_in` alone, for `bench/run`: starts one bottle, then copies what each line of stdin names.
//!
//! A line is an absolute host path; the answer is one line with the nanoseconds that the copy took. Each copy goes to a place
//! of its own and is removed before the next one, outside the measured time.

use std::error::Error;
use std::ffi::OsStr;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::time::Instant;

use backend_native::{HELPER, HelperProgram, NativeBackend, run_helper};
use bottle::{Backend, Bottle, BottleName, BottleSpec, Exec, GuestPath, Limits, RootFs, Tree, User};

fn main() -> ExitCode {
    if std::env::args_os().next().as_deref() == Some(OsStr::new(HELPER)) {
        return run_helper().into();
    }
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "cp_bench: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn serve() -> Result<(), Box<dyn Error>> {
    let spec = BottleSpec {
        name: BottleName::parse("bench-copy")?,
        root: RootFs::Default,
        tools: Vec::new(),
        limits: Limits::default(),
    };
    let launched = NativeBackend::new(HelperProgram::Own).launch(&spec).await?;
    let mut out = io::stdout();
    writeln!(out, "ready")?;
    for line in io::stdin().lock().lines() {
        let taken = copy(&*launched.bottle, &line?).await?;
        writeln!(out, "{taken}")?;
    }
    Ok(launched.bottle.close().await?)
}

/// Nanoseconds that copying `source` into the bottle took.
async fn copy(bottle: &dyn Bottle, source: &str) -> Result<u128, Box<dyn Error>> {
    let place = GuestPath::parse("/home/node/copied")?;
    let start = Instant::now();
    bottle.cp_in(&Tree::host(source), &place, User::Node).await?;
    let taken = start.elapsed().as_nanos();
    let removed = bottle.exec(Exec::new("rm").arg("-r").arg(place.as_path())).await?;
    if !removed.status.success() {
        return Err(format!("removing {}: {}", place.as_path().display(), String::from_utf8_lossy(&removed.stderr)).into());
    }
    Ok(taken)
}
