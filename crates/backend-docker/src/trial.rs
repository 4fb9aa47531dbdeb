//! Whether gVisor can do what a bottle needs of it: found out by making one.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use bottle::{BottleName, BottleSpec, Capabilities, Exec, Limits, RootFs, Unavailable, User};

use crate::backend::NAME;
use crate::check::Chosen;
use crate::containers::RELAY;
use crate::engine::Engine;
use crate::settings::Settings;
use carried::programs;
use helper::session::site;

use crate::{images, launch};

/// How long the program of the trial may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What lets a sandbox connect to a socket that it is shown, and what older ones call it.
const OPTIONS: [&str; 3] = ["--host-uds=open", "--host-uds=all", "--fsgofer-host-uds"];

/// Makes a bottle whose way out opens and in which a program runs. What passed is not tried again until engine, runtime or bot-bottle
/// change.
///
/// # Errors
/// Why not, and what to do.
pub async fn gvisor(
    engine: &Engine,
    settings: &Settings,
    runtime: &Chosen,
    capabilities: &Capabilities,
) -> Result<(), Unavailable> {
    let passed = mark(engine, settings, runtime);
    if passed.exists() {
        return Ok(());
    }
    attempt(engine, settings, runtime, capabilities).await.map_err(|reason| unusable(engine, runtime, &reason))?;
    // One that cannot be written is a trial more.
    let _ = fs::File::create(passed);
    Ok(())
}

async fn attempt(engine: &Engine, settings: &Settings, runtime: &Chosen, capabilities: &Capabilities) -> Result<(), String> {
    site::prepare(&settings.folder).map_err(|error| error.to_string())?;
    // Nothing in it but the relay, which any engine can import.
    let image = images::relay(&engine.api).await.map_err(|error| error.to_string())?;
    let name = BottleName::parse("trial-of-gvisor").map_err(|error| error.to_string())?;
    let spec = BottleSpec { name, root: RootFs::Image(image), tools: Vec::new(), limits: Limits::default() };
    let launched = launch::launch(engine, settings, runtime, &spec, capabilities.clone()).await;
    let launched = launched.map_err(|error| error.to_string())?;
    // Waits for the way out; the program says how it is used and fails.
    let ran = launched.bottle.exec(Exec::new(RELAY).user(User::Root).deadline(PATIENCE)).await;
    let closed = launched.bottle.close().await;
    match ran {
        Ok(output) if output.stderr.windows(5).any(|word| word == b"usage") => closed.map_err(|error| error.to_string()),
        Ok(output) => Err(format!("a program ended with {:?}", output.status)),
        Err(error) => Err(error.to_string()),
    }
}

/// A file whose name says what was tried.
fn mark(engine: &Engine, settings: &Settings, runtime: &Chosen) -> PathBuf {
    let registered = registered(engine, runtime);
    let program = registered.and_then(|registered| fs::metadata(registered.path.as_ref()?).ok());
    let changed = program.and_then(|program| program.modified().ok());
    let tried = format!(
        "{:?} {:?} {registered:?} {changed:?} {} {}",
        engine.info.id,
        engine.info.server_version,
        programs::version(carried::HELPER),
        programs::version(carried::RELAY)
    );
    settings.folder.join(format!("gvisor-{}", programs::version(tried.as_bytes())))
}

fn registered<'a>(engine: &'a Engine, runtime: &Chosen) -> Option<&'a bollard::models::Runtime> {
    let name = runtime.name.as_deref().or(engine.info.default_runtime.as_deref())?;
    engine.info.runtimes.as_ref()?.get(name)
}

fn unusable(engine: &Engine, runtime: &Chosen, reason: &str) -> Unavailable {
    let name = runtime.name.as_deref().or(engine.info.default_runtime.as_deref()).unwrap_or("runsc");
    let registered = registered(engine, runtime);
    let path = registered.and_then(|registered| registered.path.as_deref()).unwrap_or("/usr/bin/runsc");
    let mut words = registered.and_then(|registered| registered.runtime_args.clone()).unwrap_or_default();
    let has_option = words.iter().any(|word| OPTIONS.contains(&word.as_str()));
    let mut hints = Vec::new();
    if !has_option {
        words.push(OPTIONS[0].to_owned());
        let line = serde_json::json!({ name: { "path": path, "runtimeArgs": words } });
        hints.push(format!(
            "in the engine's daemon.json: \"runtimes\": {line}   # older runsc: {}; then restart the engine",
            OPTIONS[2]
        ));
    }
    hints.push("or choose the engine's own runtime, which shares the host's kernel: --runtime runc".to_owned());
    let what = if has_option { "cannot make bottles" } else { "does not let bottles reach their way out" };
    Unavailable { backend: NAME, missing: format!("gVisor is registered as {name} and {what}: {reason}"), hints }
}
