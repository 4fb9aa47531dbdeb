//! The command line: reads arguments and environment, names the backends, and talks to the person.

#![forbid(unsafe_code)]

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

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    backend_native::hear_of_children();
    // The native backend executes this program again, under this name, to become PID 1 of a bottle.
    if std::env::args_os().next().is_some_and(|name| name == backend_native::HELPER) {
        return backend_native::run_helper();
    }
    let cli = args::Cli::parse();
    talk::set_color(cli.color);
    let host = host_env::HostEnvironment::read();
    let code = commands::run(cli.command, &host).unwrap_or_else(|failure| {
        talk::failure(&failure);
        failure.code()
    });
    ExitCode::from(code)
}
