use std::time::Duration;

use session::control::{Client, ClientError};
use store::{Home, Identity};

use crate::args::PolicyReload;
use crate::commands::stop;
use crate::failure::Failure;
use crate::host_env::HostEnvironment;
use crate::talk;

/// How long a session may take to read its manifests.
const PATIENCE: Duration = Duration::from_secs(20);

/// `policy reload IDENTITY`: new rules count for every request from now on, those on open connections included.
pub fn run(args: &PolicyReload, host: &HostEnvironment) -> Result<u8, Failure> {
    let home = Home::new(host.bot_bottle_home()?);
    let identity = Identity::parse(&args.identity)?;
    let folder = stop::open(&home, &identity)?;
    let reloaded = Client::connect(identity.as_str(), &folder)?.reload(PATIENCE);
    match reloaded {
        Ok(rules) => {
            talk::say(&format!("session {identity} goes by {rules} {} now", if rules == 1 { "rule" } else { "rules" }));
            Ok(0)
        }
        Err(ClientError::Failed { message, hint }) => {
            let text = message.lines().map(store::escape).collect::<Vec<_>>().join("\n");
            Err(Failure::rendered(text).hints(hint))
        }
        Err(error) => Err(error.into()),
    }
}
