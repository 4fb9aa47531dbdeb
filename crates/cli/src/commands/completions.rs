use clap::CommandFactory as _;

use crate::args::{Cli, Completions};
use crate::talk;

/// `completions SHELL`
pub fn run(args: &Completions) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "bot-bottle", &mut script);
    talk::data(&String::from_utf8_lossy(&script));
    0
}
