use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use agents::Mode;
use bottle::{Backend, Bottle, BottleName, BottleSpec, Exec, ExecError, ExitStatus, LaunchError, Launched, LimitHit, User};
use egress::{Authority, Config, Control, Egress};
use provision::{Announce, Notice, ProvisionError, Provisioned, Trust};
use secret::Secret;
use store::{Audit, AuditError, CURRENT_VERSION, Home, Identity, Metadata, ProcessStamp, SessionFolder, StoreError, Traffic};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::Plan;
use crate::control::{ControlServer, Farewell, Ready};
use crate::gateway::{
    Begun, Lacking, MissingCredential, PolicySource, Reloaded, Reloader, Reloads, Service, Signer, check, for_requests, limits,
    making_authority, sources,
};
use crate::interrupts::{Caught, Interrupts};
use crate::running;
use crate::undo::{Undo, UndoError};

/// One launch, from a plan to a settled state.
pub struct Session<'a> {
    /// What to do; every question answered.
    pub plan: Plan,
    /// Where sessions are kept.
    pub home: Home,
    /// What makes the bottle.
    pub backend: &'a dyn Backend,
    /// Is told what is copied.
    pub announce: &'a mut dyn Announce,
    /// Ends the session.
    pub interrupts: &'a mut Interrupts,
    /// Where its policy is read anew.
    pub policy: Box<dyn PolicySource>,
    /// Called once the agent runs and this process only waits: to give back what starting took.
    pub at_rest: fn(),
}

/// How a session ended. Whatever the ending, everything has been taken back, or `undone` says what has not.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended, or why it failed.
    pub ending: Result<Ending, SessionError>,
    /// What could not be taken back.
    pub undone: Result<(), UndoError>,
    /// What became of a launch that was interrupted, when it then failed by itself.
    pub late: Option<LaunchError>,
    /// Limits of the manifest that the bottle ran into.
    pub limits_hit: Vec<LimitHit>,
    /// How many things were refused.
    pub refusals: u64,
    /// How many of them are not recorded, because recording stopped.
    pub unrecorded: u64,
    /// Where they are recorded.
    pub audit: PathBuf,
    /// How many records of what passed were dropped to make room for later ones.
    pub dropped: u64,
    /// Credentials that could not be had while it ran, and why; the agent was not told.
    pub lacking: Vec<String>,
    /// What became of each time a signal asked for the policy anew, or why the old one stayed.
    pub reloads: Vec<Result<Reloaded, String>>,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The agent ended.
    Agent(ExitStatus),
    /// A signal or `bot-bottle stop` ended it.
    Caught(Caught),
    /// `limits.time` passed.
    TimeLimit(Duration),
}

/// Why a session failed.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Its state cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What it does cannot be recorded.
    #[error("a session that cannot be recorded is not started: {0}")]
    Record(#[from] AuditError),
    /// Its name.
    #[error(transparent)]
    Identity(#[from] store::IdentityError),
    /// Its bottle's name.
    #[error(transparent)]
    Name(#[from] bottle::BottleNameError),
    /// The system refused something of its own.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// A question was not answered.
    #[error("env.{0} has to be asked for, and nobody was")]
    Unanswered(String),
    /// Credentials of routes cannot be had. Not empty.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Credentials(Vec<MissingCredential>),
    /// A variable cannot be set.
    #[error(transparent)]
    Environment(#[from] provision::EnvironmentError),
    /// The bottle could not be made.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The bottle could not be provisioned.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    /// The agent could not be run, or its bottle went away.
    #[error("running the agent: {0}")]
    Agent(#[from] ExecError),
}

/// A launch that has been interrupted may go on for this long, so that what it has made can be taken back in order.
const LAUNCH_GRACE: Duration = Duration::from_secs(10);

impl Session<'_> {
    /// Launches, provisions, runs and takes everything back. Needs a tokio runtime.
    pub async fn run(self) -> Outcome {
        let Self { mut plan, home, backend, announce, interrupts, policy, at_rest } = self;
        let mut undo = Undo::default();
        let reloads = Reloads::default();
        let (mut made, mut late) = (None, None);
        let (farewell, listening) = watch::channel(None);
        let mut audit = Arc::new(Audit::new(home.clone(), plan.identity.clone()));
        let (mut traffic, mut lacking) = (None, None);
        let ending = async {
            let folder = make_folder(&home, &mut plan)?;
            audit = Arc::new(Audit::new(home.clone(), plan.identity.clone()));
            let phases = Phases {
                plan: &plan,
                backend,
                audit: &audit,
                traffic: &mut traffic,
                lacking: &mut lacking,
                interrupts: &mut *interrupts,
                undo: &mut undo,
                made: &mut made,
                late: &mut late,
                home: &home,
                reloads: &reloads,
                farewell: listening,
                at_rest,
            };
            phases.go(folder, announce, policy).await
        };
        let ending = match ending.await {
            Ok(ending) | Err(Stop::Early(ending)) => Ok(ending),
            Err(Stop::Failed(error)) => Err(error),
        };
        farewell.send_replace(Some(Farewell::from(&ending)));
        crate::terminal::restore_all();
        // Before the bottle is closed: its counters go with it.
        let limits_hit = made.take().map(|bottle| bottle.limits_hit()).unwrap_or_default();
        let undone = undo
            .unwind(async {
                let _: Caught = interrupts.next().await;
            })
            .await;
        Outcome {
            ending,
            undone,
            late,
            limits_hit,
            refusals: audit.count(),
            unrecorded: audit.unrecorded(),
            audit: audit.path(),
            dropped: traffic.map_or(0, |traffic: Arc<Traffic>| traffic.dropped()),
            lacking: lacking.map_or_else(Vec::new, |lacking: Arc<Lacking>| lacking.lines()),
            reloads: reloads.taken(),
        }
    }
}

impl Outcome {
    /// The exit status: the agent's own, 128 + n for a signal to us, 125 when bot-bottle failed, a limit ended the session,
    /// or the agent succeeded but something could not be taken back.
    pub fn code(&self) -> u8 {
        match (&self.ending, &self.undone) {
            (Err(_) | Ok(Ending::TimeLimit(_)), _) => 125,
            (Ok(Ending::Agent(status)), Err(_)) if status.success() => 125,
            (Ok(Ending::Agent(status)), _) => status.code(),
            (Ok(Ending::Caught(caught)), _) => caught.code(),
        }
    }
}

impl From<&Result<Ending, SessionError>> for Farewell {
    fn from(ending: &Result<Ending, SessionError>) -> Self {
        match ending {
            Ok(Ending::Agent(_)) => Self::Agent,
            Ok(Ending::Caught(Caught::Stop)) => Self::Stopped,
            Ok(Ending::Caught(Caught::Signal(_) | Caught::Other(_))) => Self::Signal,
            Ok(Ending::TimeLimit(_)) => Self::TimeLimit,
            Err(_) => Self::Failed,
        }
    }
}

/// Why the phases did not go to their end.
enum Stop {
    /// By a signal, or the time.
    Early(Ending),
    Failed(SessionError),
}

impl<E: Into<SessionError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A random name that is taken is replaced; a label is not.
fn make_folder(home: &Home, plan: &mut Plan) -> Result<SessionFolder, SessionError> {
    let mut tries = 0;
    loop {
        match home.create(plan.identity.clone()) {
            Err(StoreError::Taken { .. }) if !plan.labelled && tries < 8 => {
                tries += 1;
                plan.identity = Identity::random(plan.resolved.agent.name.as_str())?;
            }
            folder => return Ok(folder?),
        }
    }
}

struct Phases<'a> {
    plan: &'a Plan,
    backend: &'a dyn Backend,
    audit: &'a Arc<Audit>,
    traffic: &'a mut Option<Arc<Traffic>>,
    lacking: &'a mut Option<Arc<Lacking>>,
    interrupts: &'a mut Interrupts,
    undo: &'a mut Undo,
    made: &'a mut Option<Arc<dyn Bottle>>,
    late: &'a mut Option<LaunchError>,
    home: &'a Home,
    reloads: &'a Reloads,
    farewell: watch::Receiver<Option<Farewell>>,
    at_rest: fn(),
}

impl Phases<'_> {
    async fn go(
        mut self,
        folder: SessionFolder,
        announce: &mut dyn Announce,
        policy: Box<dyn PolicySource>,
    ) -> Result<Ending, Stop> {
        let env = self.environment();
        let ready = self.open_folder(folder);
        // The folder is to be removed whatever becomes of these two.
        let (env, ready) = (env?, ready?);
        let traffic = self.begin_records()?;
        let spec = self.spec()?;
        // What takes long the first time is none of the time that the manifest gives the agent.
        let mut progress = |line: &str| announce.announce(&Notice::Image { line });
        running::race(self.backend.prepare(&spec, &mut progress), self.interrupts, None).await.map_err(Stop::Early)??;
        let limit = self.plan.limits.time.map(|limit| (limit, Instant::now() + limit));

        let sources = sources(self.plan.network.credentials.clone(), &self.plan.network.roots);
        let checked = running::race(check(&sources, &self.plan.network.table), self.interrupts, limit);
        checked.await.map_err(Stop::Early)?.map_err(SessionError::Credentials)?;

        // Made while the bottle is.
        let signer = Signer::begin(self.plan.network.roots.clone());
        let launched = self.launch(&spec, limit).await?;
        let bottle = Arc::clone(&launched.bottle);
        let Signer { authority, trust } = signer.await.map_err(io::Error::other).map_err(making_authority)??;
        let control = self.serve(launched, authority, sources.clone(), traffic, &env)?;

        let provisioned = self.provision(trust, &*bottle, announce, limit).await?;

        let begun = Begun { resolved: Arc::clone(&self.plan.resolved), hosts: self.plan.provider.hosts(), sources };
        let reloader = Arc::new(Reloader::new(policy, begun, control));
        self.interrupts.reload_on_hangup(self.reloads.begin(&reloader));
        ready.send_replace(Some(Ready { bottle: Arc::clone(&bottle), env: env.clone(), reloader }));
        let exec = self.agent(env, provisioned.folder);
        let outcome = match self.plan.mode {
            Mode::Interactive => running::on_terminal(&*bottle, exec, self.interrupts, limit, self.at_rest).await,
            Mode::Headless => running::on_streams(&*bottle, exec, self.interrupts, limit, self.at_rest).await,
        };
        Ok(outcome?)
    }

    /// Takes the certificates for itself: half a megabyte that nobody needs while the agent runs.
    async fn provision(
        &mut self,
        trust: Trust,
        bottle: &dyn Bottle,
        announce: &mut dyn Announce,
        limit: Option<(Duration, Instant)>,
    ) -> Result<Provisioned, Stop> {
        let provisioning = provision::provision(&self.plan.provision, Some(&trust), bottle, announce);
        Ok(running::race(provisioning, self.interrupts, limit).await.map_err(Stop::Early)??)
    }

    fn environment(&self) -> Result<Vec<(OsString, Secret)>, SessionError> {
        if let Some(ask) = self.plan.asks().first() {
            return Err(SessionError::Unanswered(ask.name.clone()));
        }
        let environment = self.plan.environment().map_err(|errors| match errors.into_iter().next() {
            Some(error) => SessionError::from(error),
            None => SessionError::Unanswered(String::new()),
        })?;
        Ok(environment.variables().to_vec())
    }

    /// Before anything is made: where nothing can be written down there is no bottle.
    fn begin_records(&mut self) -> Result<Arc<Traffic>, SessionError> {
        self.audit.begin()?;
        let traffic = Arc::new(Traffic::begin(self.home.clone(), self.plan.identity.clone())?);
        *self.traffic = Some(Arc::clone(&traffic));
        Ok(traffic)
    }

    /// Writes who we are and begins to serve the control socket.
    fn open_folder(&mut self, folder: SessionFolder) -> Result<watch::Sender<Option<Ready>>, SessionError> {
        let (ready, watched) = watch::channel(None);
        let server = ControlServer::bind(folder.handle(), watched, self.farewell.clone(), self.interrupts.stopper());
        let written = folder.write_metadata(&self.metadata());
        let what = format!("removing {}", folder.path().display());
        self.undo.push(what, async move { folder.remove() });
        written?;
        let server = server.map_err(|source| SessionError::Io { what: "making the session's control socket", source })?;
        let serving = tokio::spawn(server.serve());
        self.undo.push("closing the control socket", async move {
            serving.abort();
            Ok::<_, StoreError>(())
        });
        Ok(ready)
    }

    fn spec(&self) -> Result<BottleSpec, bottle::BottleNameError> {
        Ok(BottleSpec {
            name: BottleName::parse(self.plan.identity.as_str())?,
            root: self.plan.root.clone(),
            tools: self.plan.visible.tools.clone(),
            limits: self.plan.limits,
        })
    }

    /// An interrupted launch goes on for a moment: what it has half made only it can take back. Whoever interrupts twice does
    /// not want to wait for that.
    async fn launch(&mut self, spec: &BottleSpec, limit: Option<(Duration, Instant)>) -> Result<Launched, Stop> {
        let mut launching = pin!(self.backend.launch(spec));
        let early = match running::race(&mut launching, self.interrupts, limit).await {
            Ok(launched) => return Ok(launched?),
            Err(early) => early,
        };
        let grace = Some((LAUNCH_GRACE, Instant::now() + LAUNCH_GRACE));
        match running::race(launching, self.interrupts, grace).await {
            Ok(Ok(launched)) => close_later(self.undo, &launched.bottle),
            Ok(Err(error)) => *self.late = Some(error),
            Err(_) => self.undo.push("ending the interrupted launch", async { Err("it had not come to its end") }),
        }
        Err(Stop::Early(early))
    }

    /// Begins to serve the outlet. From here on the bottle reaches what its policy allows.
    fn serve(
        &mut self,
        launched: Launched,
        authority: Authority,
        sources: credentials::Sources,
        traffic: Arc<Traffic>,
        env: &[(OsString, Secret)],
    ) -> Result<Control, SessionError> {
        close_later(self.undo, &launched.bottle);
        *self.made = Some(Arc::clone(&launched.bottle));
        let network = &self.plan.network;
        let placeholders: Vec<Secret> =
            self.plan.provider.placeholders().into_iter().map(|placeholder| Secret::new(placeholder.value)).collect();
        let known = env.iter().map(|(_, value)| value.clone()).filter(|value| !value.is_empty() && !placeholders.contains(value));
        let lacking = self.lacking.insert(Lacking::told_in(Arc::clone(self.audit)));
        let config = Config {
            table: network.table.clone(),
            credentials: for_requests(sources.clone(), Arc::clone(lacking)),
            known: known.collect(),
            placeholders,
            log: self.plan.resolved.bottle.egress.log,
            audit: Arc::clone(self.audit),
            traffic: Arc::clone(&traffic),
            limits: limits(),
        };
        let (egress, control) = Egress::new(config, authority, network.roots.clone());
        // Comes after the outlet is closed, and before the session's folder goes: whoever follows the record reads until then.
        self.undo.push("writing the record of what passed", async move { traffic.flush() });
        // Comes after the outlet is closed: what asks for credentials has ended then.
        self.undo.push("finishing the refresh of a login", async move {
            sources.settle().await;
            Ok::<_, io::Error>(())
        });
        let service = Service::start(egress, launched.outlet)
            .map_err(|source| SessionError::Io { what: "starting the egress service", source })?;
        self.undo.push("closing the outlet", service.close());
        Ok(control)
    }

    /// The agent's own run. Order: what the terminal says, then the bottle's environment, then what belongs to this command.
    fn agent(&self, env: Vec<(OsString, Secret)>, folder: bottle::GuestPath) -> Exec {
        let mut all = match self.plan.mode {
            Mode::Interactive => self.plan.terminal_env.clone(),
            Mode::Headless => Vec::new(),
        };
        all.extend(env);
        let own = self.plan.command.env.iter().map(|(name, value)| (name.clone(), Secret::new(value.as_encoded_bytes())));
        all.extend(own);
        Exec {
            argv: self.plan.command.argv.clone(),
            user: User::Node,
            env: all,
            folder: Some(folder),
            stdin: Vec::new(),
            deadline: None,
        }
    }

    fn metadata(&self) -> Metadata {
        let resolved = &self.plan.resolved;
        Metadata {
            version: CURRENT_VERSION,
            identity: self.plan.identity.to_string(),
            agent: resolved.agent.name.to_string(),
            bottles: resolved.bottles.iter().map(ToString::to_string).collect(),
            backend: self.plan.backend.to_string(),
            started_at: jiff::Timestamp::now(),
            cwd: self.plan.provision.workspace().map(|workspace| workspace.host().to_owned()),
            label: self.plan.labelled.then(|| self.plan.identity.to_string()),
            process: ProcessStamp::current(),
        }
    }
}

fn close_later(undo: &mut Undo, bottle: &Arc<dyn Bottle>) {
    let bottle = Arc::clone(bottle);
    undo.push("at the end", async move { bottle.close().await });
}
