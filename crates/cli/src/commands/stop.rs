use std::collections::HashSet;
use std::time::Duration;

use session::control::Client;
use store::{Home, Identity, Liveness, StoreError};

use super::identity;
use crate::args::Stop;
use crate::failure::{FAILED, Failure};
use crate::host_env::HostEnvironment;
use crate::talk;

/// How long a session may take to take everything back.
const PATIENCE: Duration = Duration::from_secs(60);

/// `stop IDENTITY…` and `stop --all`: goes on after errors.
pub fn run(args: &Stop, host: &HostEnvironment) -> Result<u8, Failure> {
    let home = Home::new(host.bot_bottle_home()?);
    let wanted: Vec<Identity> = match args.all {
        true => live(&home)?,
        false => named(&args.identities)?,
    };
    if wanted.is_empty() {
        talk::say("no session is running");
    }
    let mut code = 0;
    for identity in wanted {
        match stop(&home, &identity) {
            Ok(()) => talk::say(&format!("stopped {identity}")),
            Err(failure) => {
                talk::failure(&failure);
                code = FAILED;
            }
        }
    }
    Ok(code)
}

/// Each once, however often it is named.
fn named(names: &[String]) -> Result<Vec<Identity>, Failure> {
    let mut seen = HashSet::new();
    names.iter().filter(|name| seen.insert(name.as_str())).map(|name| identity(name)).collect()
}

fn stop(home: &Home, identity: &Identity) -> Result<(), Failure> {
    let folder = open(home, identity)?;
    Client::connect(identity.as_str(), &folder)?.stop(PATIENCE)?;
    Ok(())
}

/// Opens a live session's folder, or says which ones there are.
pub fn open(home: &Home, identity: &Identity) -> Result<std::os::fd::OwnedFd, Failure> {
    home.open_live(identity).map_err(|error| {
        let dead = matches!(error, StoreError::Dead { .. });
        let failure = Failure::from(error);
        if dead {
            return failure.hint("run 'bot-bottle cleanup' to remove what it left");
        }
        match live(home) {
            Ok(live) if live.is_empty() => failure.hint("no session is running; start one with 'bot-bottle start'"),
            Ok(live) => failure.hint(format!("running: {}", live.iter().map(Identity::as_str).collect::<Vec<_>>().join(", "))),
            Err(_) => failure,
        }
    })
}

fn live(home: &Home) -> Result<Vec<Identity>, Failure> {
    let sessions = home.sessions()?.into_iter().filter(|session| session.liveness == Liveness::Live);
    Ok(sessions.map(|session| session.identity).collect())
}
