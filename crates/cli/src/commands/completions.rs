use clap::CommandFactory as _;

use crate::args::{Cli, Completions};
use crate::failure::Failure;
use crate::talk;

/// `completions SHELL`
pub fn run(args: &Completions) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "bot-bottle", &mut script);
    talk::data(&String::from_utf8_lossy(&script))?;
    Ok(0)
}
