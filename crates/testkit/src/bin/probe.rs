//! The probe as a program: see [`testkit::probe`].

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(testkit::probe::main())
}
