//! Making a bottle: two containers, side by side.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bollard::Docker;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{CreateContainerOptions, KillContainerOptions, StartContainerOptions};
use bottle::{BottleSpec, Capabilities, LaunchError, Launched, RootFs};
use carried::programs;
use helper::session::site;
use helper::session::{Life, Opening, Peer, RelayedOutlet, Served, Site};
use rustix::fs::OFlags;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::attach::{self, Attached, Attaching};
use crate::backend::NAME;
use crate::background::Background;
use crate::bottle::DockerBottle;
use crate::build;
use crate::check::Chosen;
use crate::close::{self, Made};
use crate::containers::{self, Kernel, Relay};
use crate::engine::{Engine, is_missing, text};
use crate::images::{self, ImageError};
use crate::settings::Settings;

/// How long the relay may take to say that it listens.
const RELAY_PATIENCE: Duration = Duration::from_secs(60);

/// Makes a bottle. When it fails nothing is left.
pub async fn launch(
    engine: &Engine,
    settings: &Settings,
    runtime: &Chosen,
    spec: &BottleSpec,
    capabilities: Capabilities,
) -> Result<Launched, LaunchError> {
    let mut made = Made::new(engine.api.clone());
    match (Launch { api: &engine.api, background: &engine.background, settings, runtime, spec })
        .run(&mut made, capabilities)
        .await
    {
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
    api: &'a Docker,
    background: &'a Arc<Background>,
    settings: &'a Settings,
    runtime: &'a Chosen,
    spec: &'a BottleSpec,
}

impl Launch<'_> {
    async fn run(&self, made: &mut Made, capabilities: Capabilities) -> Result<Launched, LaunchError> {
        let image = self.image()?;
        self.look_at_tools()?;
        let folder = &self.settings.folder;
        let on_host = |error: std::io::Error| self.failed("preparing its folder on the host", error.to_string());
        site::prepare(folder).map_err(on_host)?;
        let helper = programs::helper(folder).map_err(on_host)?;
        let empty = site::empty(folder).map_err(on_host)?;
        let site = Site::new(folder, &self.spec.name).map_err(on_host)?;
        let listener = site.listen().map_err(on_host)?;

        let inner = self.runtime.gvisor.then(|| programs::relay(folder)).transpose().map_err(on_host)?;
        let kernel = match &inner {
            Some(relay) => Kernel::OfItsOwn { relay, outlet: site.folder() },
            None => Kernel::Host { v6: has_v6() },
        };
        let (bottle_name, relay_name) = self.names()?;
        let config = containers::Bottle {
            spec: self.spec,
            image: &image,
            helper: &helper,
            lock: site.lock(),
            runtime: self.runtime.name.as_deref(),
            empty: &empty,
            kernel,
        }
        .config();
        made.add(bottle_name.clone());
        let mut containers = vec![bottle_name.clone()];
        if inner.is_some() {
            self.create(&bottle_name, config).await?;
        } else {
            made.add(relay_name.clone());
            containers.push(relay_name.clone());
            tokio::try_join!(self.create(&bottle_name, config), self.create_relay(&relay_name, &bottle_name, &site))?;
        }

        let attaching = self.attach(&bottle_name).await?;
        self.start(&bottle_name).await?;
        // The engine opens them by path: what was swapped meanwhile is seen at the latest now, and nothing runs yet.
        self.look_at_tools()?;
        let cgroups = self.cgroups(&bottle_name).await;
        let opening = Arc::new(watch::Sender::new(Opening::Awaited));
        let mut tasks = JoinSet::new();
        // The relay needs the bottle's network, and nobody needs the relay before a program runs.
        let relay = inner.is_none().then_some(relay_name);
        tasks.spawn_on(open(self.api.clone(), relay, Arc::clone(&opening)), self.background.handle());
        let serving = self.background.handle().spawn(attaching.served()).await;
        let serving = serving.unwrap_or_else(|error| Err(error.to_string()));
        let Attached { control, copying } = serving.map_err(|reason| self.failed("setting it up from within", reason))?;
        let starved = Arc::new(AtomicBool::new(false));
        let life = self.life(&bottle_name, &mut tasks, copying, Arc::clone(&starved))?;
        let outlet = RelayedOutlet::new(listener, Peer::Anyone, Arc::clone(&life), Arc::clone(&opening));
        let served = Served::new(self.spec.name.clone(), control, life, Box::new(|_| None));
        let bottle = DockerBottle {
            capabilities,
            served,
            opening: opening.subscribe(),
            api: self.api.clone(),
            containers,
            cgroups,
            starved,
            site: Mutex::new(Some(site)),
            tasks: Mutex::new(tasks),
        };
        Ok(Launched { bottle: Arc::new(bottle), outlet: Box::new(outlet) })
    }

    async fn create_relay(&self, name: &str, bottle: &str, site: &Site) -> Result<(), LaunchError> {
        let image = images::relay(self.api).await.map_err(|error| self.failed("making the relay", error.to_string()))?;
        let relay = Relay { spec: self.spec, image: &image, bottle, lock: site.lock(), outlet: site.folder() };
        self.create(name, relay.config()).await
    }

    /// Before the start, so that nothing of what its first process says is missed.
    async fn attach(&self, container: &str) -> Result<Attaching, LaunchError> {
        let (api, container) = (self.api.clone(), container.to_owned());
        let attached = self.background.handle().spawn(async move { attach::attach(&api, &container).await }).await;
        let failed = |reason: String| self.failed("attaching to its container", reason);
        attached.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(text(&error)))
    }

    /// Every tool is what the person was shown, and can be shown to a container.
    fn look_at_tools(&self) -> Result<(), LaunchError> {
        for tool in &self.spec.tools {
            if !containers::can_be_shown(tool.path()) {
                let reason = format!("{} holds one of , : \\ or is no text", tool.path().display());
                return Err(LaunchError::Unsupported { backend: NAME, what: "showing a tool".to_owned(), reason });
            }
            tool.place.open(OFlags::PATH).map_err(|error| self.failed("showing a tool", error.to_string()))?;
        }
        Ok(())
    }

    fn image(&self) -> Result<String, LaunchError> {
        let unsupported =
            |reason: String| LaunchError::Unsupported { backend: NAME, what: "agent_provider.image".to_owned(), reason };
        if let Some(reason) = images::support(self.settings).refusal(&self.spec.root) {
            return Err(unsupported(reason));
        }
        match &self.spec.root {
            RootFs::Image(name) => Ok(name.clone()),
            RootFs::Build(recipe) => {
                build::name(recipe, &self.settings.build).map_err(|error| self.failed("naming its image", error.to_string()))
            }
            RootFs::Default | RootFs::Folder(_) | RootFs::Archive(_) => Ok(self.settings.image.clone().unwrap_or_default()),
        }
    }

    /// Names for the containers: a bottle of the same name may still be on its way out.
    fn names(&self) -> Result<(String, String), LaunchError> {
        let number = getrandom::u32().map_err(|error| self.failed("naming its containers", error.to_string()))?;
        let bottle = format!("bot-bottle-{}-{number:08x}", self.spec.name);
        let relay = format!("{bottle}-relay");
        Ok((bottle, relay))
    }

    async fn create(&self, name: &str, config: ContainerCreateBody) -> Result<(), LaunchError> {
        let image = config.image.clone().unwrap_or_default();
        let options = CreateContainerOptions { name: Some(name.to_owned()), ..CreateContainerOptions::default() };
        match self.api.create_container(Some(options), config).await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => {
                let reason = format!("{}; build or import it, or name another", ImageError::Missing(image));
                Err(self.failed("making its container", reason))
            }
            Err(error) => Err(self.failed("making its container", text(&error))),
        }
    }

    async fn start(&self, name: &str) -> Result<(), LaunchError> {
        let started = self.api.start_container(name, None::<StartContainerOptions>).await;
        started.map_err(|error| self.failed("starting its container", text(&error)))
    }

    /// Asked for where there are limits alone: it is one more call.
    async fn cgroups(&self, container: &str) -> Vec<PathBuf> {
        let limits = &self.spec.limits;
        if limits.memory.is_none() && limits.pids.is_none() {
            return Vec::new();
        }
        let inspected = self.api.inspect_container(container, None).await;
        let process = inspected.ok().and_then(|container| container.state?.pid);
        process.map(helper::session::cgroups_of).unwrap_or_default()
    }

    /// The bottle's life is its container's.
    fn life(
        &self,
        container: &str,
        tasks: &mut JoinSet<()>,
        copying: JoinSet<()>,
        starved: Arc<AtomicBool>,
    ) -> Result<Arc<Life>, LaunchError> {
        let failed = |error: std::io::Error| self.failed("watching its container", error.to_string());
        let (over, living) = std::io::pipe().map_err(failed)?;
        let (api, name) = (self.api.clone(), container.to_owned());
        let bounded = self.spec.limits.memory.map(|_| SystemTime::now());
        let watching = async move {
            close::gone(&api, &name).await;
            if let Some(since) = bounded {
                starved.store(close::ran_out_of_memory(&api, &name, since).await, Ordering::Release);
            }
            drop((living, copying));
        };
        tasks.spawn_on(watching, self.background.handle());
        let (api, name) = (self.api.clone(), container.to_owned());
        let background = Arc::clone(self.background);
        let end = move |_: &OwnedFd| {
            let (api, name) = (api.clone(), name.clone());
            // Its first process ends by itself when the stream does; this makes sure.
            background.handle().spawn(async move { drop(api.kill_container(&name, None::<KillContainerOptions>).await) });
        };
        Life::new(over.into(), end).map(Arc::new).map_err(failed)
    }

    fn failed(&self, step: &str, reason: String) -> LaunchError {
        LaunchError::Failed { bottle: self.spec.name.to_string(), step: step.to_owned(), reason }
    }
}

/// Starts the relay, where it has a container of its own, and says when it will not come.
async fn open(api: Docker, relay: Option<String>, opening: Arc<watch::Sender<Opening>>) {
    let fail = |reason: String| {
        opening.send_if_modified(|opening| {
            let awaited = *opening == Opening::Awaited;
            if awaited {
                *opening = Opening::Failed(reason);
            }
            awaited
        });
    };
    if let Some(relay) = &relay
        && let Err(error) = api.start_container(relay, None::<StartContainerOptions>).await
    {
        return fail(text(&error));
    }
    let ended = async {
        match &relay {
            Some(relay) => close::gone(&api, relay).await,
            // Its end is the bottle's.
            None => std::future::pending().await,
        }
    };
    let mut opened = opening.subscribe();
    tokio::select! {
        _ = opened.wait_for(|opening| *opening != Opening::Awaited) => {}
        () = ended => fail("the relay ended at once".to_owned()),
        () = tokio::time::sleep(RELAY_PATIENCE) => fail(format!("the relay has said nothing for {RELAY_PATIENCE:?}")),
    }
}

/// Whether this kernel, which is the engine's too, has IPv6.
fn has_v6() -> bool {
    std::path::Path::new("/proc/sys/net/ipv6/conf/all/disable_ipv6").exists()
}
