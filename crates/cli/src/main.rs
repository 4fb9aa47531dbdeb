//! The command line: reads arguments and environment, names the backends, and talks to the person.

#![forbid(unsafe_code)]
#![cfg_attr(all(not(test), target_env = "gnu"), no_main)]

mod args;
mod backends;
mod commands;
mod failure;
mod host_env;
mod picker;
mod policy_source;
mod preflight;
mod question;
mod shortage;
mod table;
mod talk;
mod voice;

use std::io::Write as _;

use clap::Parser as _;

use crate::failure::Failure;

#[cfg(all(not(test), target_env = "gnu"))]
backend_native::entry!(run);

/// Where the C library does not hand the arguments to whoever asks for them, the standard library has to.
#[cfg(any(test, not(target_env = "gnu")))]
fn main() -> std::process::ExitCode {
    backend_native::begin();
    run().into()
}

fn run() -> u8 {
    // The native backend executes this program again, under this name, to become PID 1 of a bottle.
    if std::env::args_os().next().is_some_and(|name| name == backend_native::HELPER) {
        return backend_native::run_helper();
    }
    let done = match args::Cli::plain(std::env::args_os()).map_or_else(args::Cli::try_parse, Ok) {
        Ok(cli) => {
            talk::set_color(cli.color);
            commands::run(cli.command, &host_env::HostEnvironment::read())
        }
        Err(told) => show(&told),
    };
    done.unwrap_or_else(|failure| {
        talk::failure(&failure);
        failure.code()
    })
}

/// Help, the version, or what is wrong with the arguments: the first two are data, on stdout.
fn show(told: &clap::Error) -> Result<u8, Failure> {
    let printed = told.print();
    if !told.use_stderr() {
        talk::written(printed.and_then(|()| std::io::stdout().flush()))?;
    }
    Ok(if told.use_stderr() { failure::USAGE } else { 0 })
}
