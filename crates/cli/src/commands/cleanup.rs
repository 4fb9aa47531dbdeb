use bottle::{Backend, Leftover};
use session::Interrupts;
use store::{Home, Identity, Liveness, escape};

use super::{Decision, decide, with_runtime};
use crate::args::Cleanup;
use crate::backends;
use crate::failure::{FAILED, Failure};
use crate::host_env::HostEnvironment;
use crate::talk;

/// `cleanup`: what killed sessions left, on every backend; one y/N; goes on after errors.
pub fn run(args: &Cleanup, host: &HostEnvironment) -> Result<u8, Failure> {
    let home = Home::new(host.bot_bottle_home()?);
    with_runtime(async {
        let mut interrupts = Interrupts::install()?;
        let backends = backends::all();
        let found = find(&home, &backends).await?;
        if found.is_empty() {
            talk::say("nothing to clean up");
            return Ok(0);
        }
        talk::say(&found.describe(&home));
        if !args.yes {
            match decide(&mut interrupts, "remove these?", "run 'bot-bottle cleanup --yes' to remove without asking").await? {
                Decision::Go => {}
                Decision::Leave(code) => return Ok(code),
            }
        }
        Ok(found.remove(&home, &backends).await)
    })
}

struct Found {
    dead: Vec<Identity>,
    /// The backend's place in the list, and what it left.
    leftovers: Vec<(usize, Leftover)>,
}

async fn find(home: &Home, backends: &[Box<dyn Backend>]) -> Result<Found, Failure> {
    let sessions = home.sessions()?;
    let (live, dead): (Vec<_>, Vec<_>) = sessions.into_iter().partition(|session| session.liveness == Liveness::Live);
    // What a session has made this moment may look like something left.
    let lives = |leftover: &Leftover| live.iter().any(|session| session.identity.as_str() == leftover.bottle.as_str());
    let dead = dead.into_iter().map(|session| session.identity).collect();
    let mut leftovers = Vec::new();
    for (at, backend) in backends.iter().enumerate() {
        match backend.leftovers().await {
            Ok(found) => leftovers.extend(found.into_iter().filter(|leftover| !lives(leftover)).map(|leftover| (at, leftover))),
            // A backend that cannot run here has left nothing here.
            Err(unavailable) => talk::note(&unavailable.to_string()),
        }
    }
    Ok(Found { dead, leftovers })
}

impl Found {
    fn is_empty(&self) -> bool {
        self.dead.is_empty() && self.leftovers.is_empty()
    }

    fn describe(&self, home: &Home) -> String {
        let state = self.dead.iter().map(|identity| format!("  state of {identity}: {}", home.state_path(identity).display()));
        let rest = self.leftovers.iter().map(|(_, leftover)| format!("  {}: {}", leftover.bottle, escape(&leftover.what)));
        std::iter::once("left behind by killed sessions:".to_owned()).chain(rest).chain(state).collect::<Vec<_>>().join("\n")
    }

    /// Backends first: state says whose their things are.
    async fn remove(self, home: &Home, backends: &[Box<dyn Backend>]) -> u8 {
        let mut code = 0;
        let mut failed = |failure: Failure| {
            talk::failure(&failure);
            code = FAILED;
        };
        for (at, leftover) in &self.leftovers {
            match backends[*at].remove(leftover).await {
                Ok(()) => talk::say(&format!("removed {}", escape(&leftover.what))),
                Err(error) => failed(error.into()),
            }
        }
        for identity in &self.dead {
            match home.remove_dead(identity) {
                Ok(()) => talk::say(&format!("removed the state of {identity}")),
                Err(error) => failed(error.into()),
            }
        }
        code
    }
}
