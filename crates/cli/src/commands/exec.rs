use std::ffi::OsString;
use std::io::{self, IsTerminal as _};

use bottle::{ExitStatus, User};
use secret::Secret;
use session::control::{Client, ClientError, ExecCall};
use session::{Caught, Interrupts};
use store::Home;

use super::{identity, stop, with_runtime};
use crate::args::{Exec, ExecUser};
use crate::failure::Failure;
use crate::host_env::HostEnvironment;

/// `exec IDENTITY -- COMMAND…`: on a terminal when stdin and stdout are one, otherwise with streams apart.
pub fn run(args: Exec, host: &HostEnvironment) -> Result<u8, Failure> {
    let home = Home::new(host.bot_bottle_home()?);
    let identity = identity(&args.identity)?;
    let folder = stop::open(&home, &identity)?;
    let user = match args.user {
        ExecUser::Root => User::Root,
        ExecUser::Node => User::Node,
    };
    let on_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let env = if on_terminal { terminal_env(host) } else { Vec::new() };
    let call = ExecCall { argv: args.command, user, env };
    let ended = if on_terminal {
        exec_on_terminal(Client::connect(identity.as_str(), &folder)?, call)?
    } else {
        Ok(Client::exec_streams(identity.as_str(), &folder, call).map_err(explain)?)
    };
    Ok(ended.map_or_else(Caught::code, ExitStatus::code))
}

fn exec_on_terminal(client: Client, call: ExecCall) -> Result<Result<ExitStatus, Caught>, Failure> {
    with_runtime(async {
        let mut interrupts = Interrupts::install()?;
        client.exec_terminal(call, &mut interrupts).await.map_err(explain)
    })
}

fn terminal_env(host: &HostEnvironment) -> Vec<(OsString, Secret)> {
    let env = host.all();
    let plain = |name: &str| Some((OsString::from(name), env.get(name)?.clone()));
    ["TERM", "COLORTERM", "LANG", "LC_ALL"].into_iter().filter_map(plain).collect()
}

fn explain(error: ClientError) -> Failure {
    match error {
        ClientError::Failed { message, hint } => Failure::new(store::escape(&message)).hints(hint),
        other @ (ClientError::Connect { .. }
        | ClientError::Ended
        | ClientError::Over { .. }
        | ClientError::Input(_)
        | ClientError::Output(_)
        | ClientError::Io(_)) => other.into(),
    }
}
