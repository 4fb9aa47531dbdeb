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
mod table;
mod talk;
mod voice;

use clap::Parser as _;

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
    let cli = args::Cli::plain(std::env::args_os()).unwrap_or_else(args::Cli::parse);
    talk::set_color(cli.color);
    let host = host_env::HostEnvironment::read();
    commands::run(cli.command, &host).unwrap_or_else(|failure| {
        talk::failure(&failure);
        failure.code()
    })
}
