//! `policy`: what would become of a request, without bottle, network or credential; and `policy reload` for what runs.

mod explain;
mod reload;
mod request;
mod test;

pub use reload::note_later;

use manifest::Resolved;
use policy::Table;

use super::catalogue;
use crate::args::{Policy, PolicyCommand};
use crate::failure::Failure;
use crate::host_env::HostEnvironment;
use crate::talk;

/// Something would be refused, or is not as expected.
const NOT_SO: u8 = 1;

/// `policy explain`, `policy test` and `policy reload`.
pub fn run(args: &Policy, host: &HostEnvironment) -> Result<u8, Failure> {
    match &args.command {
        PolicyCommand::Explain(args) => explain::run(args, host),
        PolicyCommand::Test(args) => test::run(args, host),
        PolicyCommand::Reload(args) => reload::run(args, host),
    }
}

/// The agent in its merged bottle, and the rules that count there.
fn rules(agent: &str, bottles: &[String], host: &HostEnvironment) -> Result<(Resolved, Table), Failure> {
    let resolved = catalogue(host)?.resolve(agent, bottles).map_err(|error| Failure::rendered(error.render(talk::style())))?;
    let table = session::rules(&resolved).map_err(|errors| {
        let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::new(text.join("\n")).hints(errors.iter().map(|error| error.hint().to_owned()))
    })?;
    Ok((resolved, table))
}
