//! Making a bottle: one machine, whose workload is the helper.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bottle::{BottleSpec, Capabilities, GuestPath, LaunchError, Launched, Tool, Tree, User};
use carried::programs;
use helper::session::outlet::next;
use helper::session::{Bridged, Life, Opening, Peer, RelayedOutlet, Served, Site, bridged, site};
use rustix::process::Pid;
use tokio::io::AsyncReadExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::arguments::{self, Create};
use crate::backend::NAME;
use crate::bottle::SmolmachinesBottle;
use crate::close::Made;
use crate::images;
use crate::machine::{self, BOTTLE, LOCK, Listed};
use crate::settings::Settings;
use crate::smolvm::{Smolvm, SmolvmError};

/// How long a machine may take to be made, to boot, or to say that it serves.
pub const PATIENCE: Duration = Duration::from_secs(300);
/// How long a machine may live on when its helper has gone; it writes its disk first.
const GRACE: Duration = Duration::from_secs(10);
/// How long the relay may take to say that it listens.
const RELAY_PATIENCE: Duration = Duration::from_secs(60);
/// Disk of a machine without `limits.disk`, in GiB. It takes from the host only what is written.
pub const DEFAULT_STORAGE: u64 = 32;
/// Disk that a machine needs for itself, in GiB.
const OWN_STORAGE: u64 = 1;
/// How long a complaint may take that has been written already.
const COMPLAINT_PATIENCE: Duration = Duration::from_secs(1);
/// Longest complaint of a helper's.
const LONGEST_COMPLAINT: u64 = 4096;

/// Where a machine shows what is the session's. Not below `/run`: there machines never become ready.
const PROGRAMS: &str = "/.bot-bottle/programs";
const CONTROL: &str = "/.bot-bottle/control.sock";
const OUTLET: &str = "/.bot-bottle/outlet.sock";
/// Names of both in the site's folder.
const CONTROL_SOCKET: &str = "control.sock";
const PROGRAMS_FOLDER: &str = "programs";

/// Makes a bottle. When it fails nothing is left.
pub async fn launch(
    smolvm: &Smolvm,
    settings: &Settings,
    spec: &BottleSpec,
    capabilities: Capabilities,
) -> Result<Launched, LaunchError> {
    let machine = machine::name(spec.name.as_str());
    let launch = Launch { smolvm, settings, spec, machine: &machine };
    let image = launch.image().await?;
    let site = launch.site().map_err(|error| launch.failed("preparing its folder on the host", error.to_string()))?;
    // Only what this launch makes is this launch's to undo: a machine of that name that is there already belongs to somebody.
    launch.create(&site, &image).await?;
    let made = Made::new(smolvm.clone(), machine.clone());
    match launch.run(site, capabilities).await {
        Ok(launched) => {
            made.keep();
            Ok(launched)
        }
        Err(error) => {
            made.undo().await;
            Err(error)
        }
    }
}

struct Launch<'a> {
    smolvm: &'a Smolvm,
    settings: &'a Settings,
    spec: &'a BottleSpec,
    machine: &'a str,
}

/// A bottle's place on the host, whose sockets are open.
struct Prepared {
    site: Site,
    programs: PathBuf,
    helper: PathBuf,
    relay: PathBuf,
    control: UnixListener,
    outlet: UnixListener,
}

impl Launch<'_> {
    async fn image(&self) -> Result<PathBuf, LaunchError> {
        if let Some(tool) = self.spec.tools.iter().find(|tool| tool.path().as_os_str().as_bytes().contains(&b':')) {
            return Err(self.unsupported("showing a tool", format!("{} holds a colon", tool.path().display())));
        }
        images::path(&self.spec.root, self.settings, PATIENCE)
            .await
            .map_err(|error| self.failed("taking its image", error.to_string()))
    }

    /// Every bottle has programs of its own: what one machine could ever do to them no other sees.
    fn site(&self) -> io::Result<Prepared> {
        let sites = &self.settings.sites;
        site::prepare(sites)?;
        // A machine's user finds its own way in and no other's: the folders' names are not to be guessed or listed.
        if rustix::process::geteuid().is_root() {
            fs::set_permissions(sites, Permissions::from_mode(0o711))?;
        }
        let site = Site::new(sites, &self.spec.name)?;
        let (control, outlet) = (site.listen_on(CONTROL_SOCKET)?, site.listen()?);
        let programs = site.folder().join(PROGRAMS_FOLDER);
        fs::create_dir(&programs)?;
        fs::set_permissions(&programs, Permissions::from_mode(0o755))?;
        let (helper, relay) = (programs::helper(&programs)?, programs::relay(&programs)?);
        Ok(Prepared { site, programs, helper, relay, control, outlet })
    }

    async fn create(&self, prepared: &Prepared, image: &Path) -> Result<(), LaunchError> {
        let limits = &self.spec.limits;
        let folder = prepared.site.folder();
        let sockets = [(folder.join(CONTROL_SOCKET), CONTROL), (folder.join(site::SOCKET), OUTLET)];
        let mut folders = vec![(prepared.programs.as_path(), Path::new(PROGRAMS))];
        folders.extend(self.shown().map(|tool| (tool.path(), tool.path())));
        let labels = [(BOTTLE, OsStr::new(self.spec.name.as_str())), (LOCK, prepared.site.lock().as_os_str())];
        let create = Create {
            name: self.machine,
            image,
            cpus: limits.cpus.map_or_else(processors, |cores| cores.ceil().max(1.0) as u64),
            memory: limits.memory.unwrap_or_else(memory).div_ceil(1 << 20),
            storage: limits.disk.map_or(DEFAULT_STORAGE, |bytes| bytes.div_ceil(1 << 30) + OWN_STORAGE),
            labels: &labels,
            sockets: &sockets,
            folders: &folders,
            workload: &self.workload(prepared),
        };
        let created = self.smolvm.run(create.arguments(), PATIENCE).await;
        created.map(drop).map_err(|error| self.failed("making its machine", error.to_string()))
    }

    /// Folders are shown; files are copied, for a machine is shown folders alone.
    fn shown(&self) -> impl Iterator<Item = &Tool> {
        self.spec.tools.iter().filter(|tool| tool.place.is_folder())
    }

    fn workload(&self, prepared: &Prepared) -> Vec<OsString> {
        let limits = &self.spec.limits;
        let program = |file: &Path| Path::new(PROGRAMS).join(file.file_name().unwrap_or_default()).into_os_string();
        let mut all = vec![program(&prepared.helper)];
        let mut add = |option: &str, value: OsString| all.extend([option.into(), value]);
        add("--machine", CONTROL.into());
        add("--host-name", self.spec.name.as_str().into());
        if let Some(most) = limits.pids {
            add("--processes", most.to_string().into());
        }
        if let Some(cores) = limits.cpus {
            add("--quota", ((cores * 100_000.0).ceil().max(1000.0) as u64).to_string().into());
        }
        if let Some(bytes) = limits.disk {
            add("--disk", bytes.to_string().into());
        }
        for tool in self.shown() {
            add("--keep", tool.path().into());
        }
        add("--relay", program(&prepared.relay));
        all.extend(["transparent".into(), OUTLET.into()]);
        all
    }

    async fn run(&self, prepared: Prepared, capabilities: Capabilities) -> Result<Launched, LaunchError> {
        let Prepared { site, control, outlet, .. } = prepared;
        let (process, stream) = self.boot(&control).await?;
        drop(control);
        // smolvm opens them by path: what was swapped meanwhile is seen at the latest now, and nothing runs yet.
        for tool in &self.spec.tools {
            images::unchanged(&tool.place).map_err(|error| self.failed("showing a tool", error.to_string()))?;
        }
        let on_host = |error: io::Error| self.failed("watching its machine", error.to_string());
        let life = Arc::new(machine::life(process).map_err(on_host)?);
        let stream = stream.into_std().map_err(on_host)?;
        let Bridged { control, over } = bridged(stream.try_clone().map_err(on_host)?.into(), stream.into()).map_err(on_host)?;
        let opening = Arc::new(watch::Sender::new(Opening::Awaited));
        let mut tasks = JoinSet::new();
        tasks.spawn(end_with(over, Arc::clone(&life)));
        tasks.spawn(give_up(Arc::clone(&opening)));
        let peer = Peer::Process(process.as_raw_nonzero().get());
        let outlet = RelayedOutlet::new(outlet, peer, Arc::clone(&life), Arc::clone(&opening));
        let served = Served::new(self.spec.name.clone(), control, life, Box::new(|_| None));
        self.copy_tools(&served).await?;
        let bottle = SmolmachinesBottle {
            capabilities,
            served,
            opening: opening.subscribe(),
            smolvm: self.smolvm.clone(),
            machine: self.machine.to_owned(),
            site: Mutex::new(Some(site)),
            tasks: Mutex::new(tasks),
        };
        Ok(Launched { bottle: Arc::new(bottle), outlet: Box::new(outlet) })
    }

    /// Starts the machine and waits until its helper serves. What dies before it says a word is tried once more: processes of machines
    /// that have just come up were seen to be killed.
    async fn boot(&self, control: &UnixListener) -> Result<(Pid, UnixStream), LaunchError> {
        match self.start(control).await {
            Err(Boot::Died(_)) => self.start(control).await,
            booted => booted,
        }
        .map_err(|failure| match failure {
            Boot::Smolvm(error) => self.failed("starting its machine", error.to_string()),
            Boot::Complained(reason) => self.failed("setting it up from within", reason),
            Boot::Died(reason) => self.failed("starting its first process", reason),
        })
    }

    async fn start(&self, control: &UnixListener) -> Result<(Pid, UnixStream), Boot> {
        if let Err(error) = self.smolvm.run(arguments::start(self.machine), PATIENCE).await {
            // A workload that ends before smolvm has seen the machine ready makes it fail too; then it has said why.
            return Err(match complaint(control).await {
                Some(complaint) => complaint,
                None if error.is_an_early_end() => Boot::Died(error.to_string()),
                None => Boot::Smolvm(error),
            });
        }
        let listed: Listed = self.smolvm.ask(arguments::status(self.machine), PATIENCE).await.map_err(Boot::Smolvm)?;
        let process =
            listed.pid.and_then(Pid::from_raw).ok_or_else(|| Boot::Died("its machine has stopped at once".to_owned()))?;
        let life = machine::life(process).map_err(|error| Boot::Died(error.to_string()))?;
        tokio::select! {
            biased;
            served = served(control, Peer::Process(process.as_raw_nonzero().get())) => served.map(|stream| (process, stream)),
            _ = life.ended() => Err(Boot::Died("its machine has stopped before its first process said anything".to_owned())),
            () = tokio::time::sleep(PATIENCE) => Err(Boot::Complained(format!(
                "its first process has said nothing for {PATIENCE:?}; its machine's console: {}", self.console().await
            ))),
        }
    }

    /// Where the machine's kernel and smolvm's agent have written what they did.
    async fn console(&self) -> String {
        let folder = self.smolvm.run(arguments::data_dir(self.machine), PATIENCE).await.unwrap_or_default();
        let folder = String::from_utf8_lossy(&folder);
        Path::new(folder.trim().lines().last().unwrap_or_default()).join("agent-console.log").display().to_string()
    }

    async fn copy_tools(&self, served: &Served) -> Result<(), LaunchError> {
        for tool in self.spec.tools.iter().filter(|tool| !tool.place.is_folder()) {
            let failed = |reason: String| self.failed("copying a tool", reason);
            let place = GuestPath::parse(tool.path()).map_err(|error| failed(error.to_string()))?;
            let copied = served.cp_in(&Tree::host(tool.path()), &place, User::Root).await;
            copied.map_err(|error| failed(error.to_string()))?;
        }
        Ok(())
    }

    fn unsupported(&self, what: &str, reason: String) -> LaunchError {
        LaunchError::Unsupported { backend: NAME, what: what.to_owned(), reason }
    }

    fn failed(&self, step: &str, reason: String) -> LaunchError {
        LaunchError::Failed { bottle: self.spec.name.to_string(), step: step.to_owned(), reason }
    }
}

/// As many processors as the host has: more would wait for each other.
fn processors() -> u64 {
    std::thread::available_parallelism().map_or(1, |count| count.get() as u64)
}

/// The host's memory, but not more than smolvm's own default, in bytes. A machine takes of it what it touches.
fn memory() -> u64 {
    let known = rustix::system::sysinfo();
    known.totalram.saturating_mul(u64::from(known.mem_unit)).min(8 << 30)
}

/// Why a machine does not serve.
enum Boot {
    /// smolvm could not start it.
    Smolvm(SmolvmError),
    /// Its helper says why.
    Complained(String),
    /// It was over before anything was said.
    Died(String),
}

/// The stream of a helper that has said that it serves.
async fn served(control: &UnixListener, peer: Peer) -> Result<UnixStream, Boot> {
    let mut stream = next(control, peer).await;
    let mut said = vec![0; helper::HELLO.len()];
    match stream.read_exact(&mut said).await {
        Ok(_) if said == helper::HELLO => return Ok(stream),
        Ok(_) => {}
        Err(error) => return Err(Boot::Died(format!("its first process has ended without a word: {error}"))),
    }
    // Its end comes with the helper's; what has come until the connection breaks is what there is.
    let _ = stream.take(LONGEST_COMPLAINT).read_to_end(&mut said).await;
    Err(Boot::Complained(shown::Shown::text(String::from_utf8_lossy(&said).trim()).to_string()))
}

/// What a helper that has ended left on its stream.
async fn complaint(control: &UnixListener) -> Option<Boot> {
    let (mut stream, _) = tokio::time::timeout(COMPLAINT_PATIENCE, control.accept()).await.ok()?.ok()?;
    let mut said = Vec::new();
    let mut limited = (&mut stream).take(LONGEST_COMPLAINT);
    let _ = tokio::time::timeout(COMPLAINT_PATIENCE, limited.read_to_end(&mut said)).await;
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    (!said.is_empty()).then(|| Boot::Complained(shown::Shown::text(&said).to_string()))
}

/// A machine whose helper has gone stops by itself; this makes sure.
async fn end_with(over: oneshot::Receiver<()>, life: Arc<Life>) {
    let _ = over.await;
    if tokio::time::timeout(GRACE, life.ended()).await.is_err() {
        life.end();
    }
}

/// Says when the relay will not come.
async fn give_up(opening: Arc<watch::Sender<Opening>>) {
    let mut opened = opening.subscribe();
    tokio::select! {
        _ = opened.wait_for(|opening| *opening != Opening::Awaited) => {}
        () = tokio::time::sleep(RELAY_PATIENCE) => {
            opening.send_if_modified(|opening| {
                let awaited = *opening == Opening::Awaited;
                if awaited {
                    *opening = Opening::Failed(format!("the relay has said nothing for {RELAY_PATIENCE:?}"));
                }
                awaited
            });
        }
    }
}
