use std::time::Duration;

use session::Reloaded;
use session::control::{Client, ClientError};
use store::Home;

use crate::args::PolicyReload;
use crate::commands::{identity, stop};
use crate::failure::Failure;
use crate::host_env::HostEnvironment;
use crate::talk;

/// How long a session may take to read its manifests and to ask for new credentials: a command may take half a minute for each.
const PATIENCE: Duration = Duration::from_secs(120);

/// `policy reload IDENTITY`: new rules count for every request from now on, those on open connections included.
pub fn run(args: &PolicyReload, host: &HostEnvironment) -> Result<u8, Failure> {
    let home = Home::new(host.bot_bottle_home()?);
    let identity = identity(&args.identity)?;
    let folder = stop::open(&home, &identity)?;
    let reloaded = Client::connect(identity.as_str(), &folder)?.reload(PATIENCE);
    match reloaded {
        Ok(reloaded) => {
            talk::say(&format!("session {identity} goes by {reloaded} now"));
            note_later(&reloaded, identity.as_str());
            Ok(0)
        }
        Err(ClientError::Failed { message, hint }) => {
            let text = message.lines().map(store::escape).collect::<Vec<_>>().join("\n");
            // Diagnostics of manifests come with headings of their own.
            let failure = if text.starts_with("error") { Failure::rendered(text) } else { Failure::new(text) };
            Err(failure.hints(hint))
        }
        Err(error) => Err(error.into()),
    }
}

/// Tells what else the manifests say now: a person who changed it would wait for it in vain.
pub fn note_later(reloaded: &Reloaded, identity: &str) {
    if !reloaded.later.is_empty() {
        let keys = reloaded.later.iter().map(|key| store::escape(key)).collect::<Vec<_>>().join(", ");
        talk::note(&format!("changed too, but taken up by the next start alone, not by {identity}: {keys}"));
    }
}
