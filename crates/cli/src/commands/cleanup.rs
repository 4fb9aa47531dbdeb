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
        let backends = backends::all(host)?;
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
    dead: Vec<Dead>,
    /// The backend's place in the list, and what it left.
    leftovers: Vec<(usize, Leftover)>,
}

/// State that a killed session left.
#[derive(Debug)]
struct Dead {
    identity: Identity,
    maker: Maker,
}

/// Which backend made its bottle.
#[derive(Debug)]
enum Maker {
    /// This one.
    Named(String),
    /// Its file, which is written before anything is made, is not there.
    None,
    /// Its file does not say.
    Unknown,
}

/// Looks everywhere. What has to be kept is told at once and is not part of what is found.
async fn find(home: &Home, backends: &[Box<dyn Backend>]) -> Result<Found, Failure> {
    let (mut dead, mut others) = (Vec::new(), Vec::new());
    for session in home.sessions()? {
        match session.liveness {
            Liveness::Live => others.push(session.identity),
            Liveness::Dead => {
                let maker = match session.metadata {
                    Ok(metadata) => Maker::Named(metadata.backend),
                    Err(error) if error.is_missing() => Maker::None,
                    Err(_) => Maker::Unknown,
                };
                dead.push(Dead { identity: session.identity, maker });
            }
            Liveness::Unknown => {
                let (identity, path) = (&session.identity, home.state_path(&session.identity));
                talk::note(&format!("cannot tell whether session {identity} lives: {} is kept", escape(&path.to_string_lossy())));
                others.push(session.identity);
            }
        }
    }
    // What a session has made this moment may look like something left.
    let lives = |leftover: &Leftover| others.iter().any(|other| other.as_str() == leftover.bottle.as_str());
    let (mut leftovers, mut asked) = (Vec::new(), Vec::new());
    for (at, backend) in backends.iter().enumerate() {
        match backend.leftovers().await {
            Ok(found) => {
                asked.push(backend.name().0);
                leftovers.extend(found.into_iter().filter(|leftover| !lives(leftover)).map(|leftover| (at, leftover)));
            }
            Err(unavailable) => talk::note(&unavailable.to_string()),
        }
    }
    let whole = asked.len() == backends.len();
    dead.retain(|dead| match dead.why_kept(&asked, whole) {
        Some(why) => {
            talk::note(&format!("the state of {} is kept: {why}", dead.identity));
            false
        }
        None => true,
    });
    Ok(Found { dead, leftovers })
}

impl Dead {
    /// State is what tells whose a backend's things are: it goes after them, so a backend that cannot say what there is of it
    /// keeps it. `asked` are the backends that could; `whole`: there is no other.
    fn why_kept(&self, asked: &[&str], whole: bool) -> Option<String> {
        match &self.maker {
            Maker::None => None,
            Maker::Named(backend) if asked.contains(&backend.as_str()) => None,
            Maker::Named(backend) => {
                Some(format!("the {} backend, which made its bottle, cannot be asked here", escape(backend)))
            }
            Maker::Unknown if whole => None,
            Maker::Unknown => {
                Some("it does not say which backend made its bottle, and not every backend can be asked here".to_owned())
            }
        }
    }
}

impl Found {
    fn is_empty(&self) -> bool {
        self.dead.is_empty() && self.leftovers.is_empty()
    }

    fn describe(&self, home: &Home) -> String {
        let path = |identity| home.state_path(identity).to_string_lossy().into_owned();
        let state = self.dead.iter().map(|dead| format!("  state of {}: {}", dead.identity, escape(&path(&dead.identity))));
        let rest = self.leftovers.iter().map(|(_, leftover)| format!("  {}: {}", leftover.bottle, escape(&leftover.what)));
        std::iter::once("left behind by killed sessions:".to_owned()).chain(rest).chain(state).collect::<Vec<_>>().join("\n")
    }

    /// Backends first: state says whose their things are.
    async fn remove(self, home: &Home, backends: &[Box<dyn Backend>]) -> u8 {
        let mut code = 0;
        let mut stuck = Vec::new();
        let mut failed = |failure: Failure| {
            talk::failure(&failure);
            code = FAILED;
        };
        for (at, leftover) in &self.leftovers {
            match backends[*at].remove(leftover).await {
                Ok(()) => talk::say(&format!("removed {}", escape(&leftover.what))),
                Err(error) => {
                    stuck.push(&leftover.bottle);
                    failed(error.into());
                }
            }
        }
        for Dead { identity, .. } in &self.dead {
            if stuck.iter().any(|bottle| bottle.as_str() == identity.as_str()) {
                talk::note(&format!("the state of {identity} is kept: not everything of its bottle could be removed"));
                continue;
            }
            match home.remove_dead(identity) {
                Ok(()) => talk::say(&format!("removed the state of {identity}")),
                Err(error) => failed(error.into()),
            }
        }
        code
    }
}

#[cfg(test)]
mod tests {
    use store::Identity;

    use super::{Dead, Maker};

    #[test]
    fn state_is_kept_while_its_backend_cannot_be_asked() {
        let kept = |maker, asked: &[&str], whole| {
            let dead = Dead { identity: Identity::parse("a-1").unwrap(), maker };
            dead.why_kept(asked, whole).is_some()
        };
        let named = |name: &str| Maker::Named(name.to_owned());
        assert!(!kept(named("one"), &["one"], false));
        assert!(kept(named("one"), &["two"], false));
        assert!(kept(named("of a later version"), &["one", "two"], true));
        assert!(!kept(Maker::Unknown, &["one", "two"], true));
        assert!(kept(Maker::Unknown, &["two"], false));
        assert!(!kept(Maker::None, &["two"], false));
    }
}
