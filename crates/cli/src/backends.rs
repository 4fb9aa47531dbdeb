use std::path::PathBuf;

use backend_docker::{BuildSettings, DockerBackend, Runtime, Settings};
pub use backend_native::give_memory_back;
use backend_native::{HelperProgram, NativeBackend};
use backend_smolmachines::SmolmachinesBackend;
use bottle::Backend;

use crate::failure::Failure;
use crate::host_env::HostEnvironment;

/// The one that needs nothing installed.
pub fn default() -> Box<dyn Backend> {
    Box::new(NativeBackend::new(HelperProgram::Own))
}

/// Every backend that can be chosen, the default first. The only place in the project that names one.
///
/// # Errors
/// When there is no folder for what one keeps.
pub fn all(host: &HostEnvironment) -> Result<Vec<Box<dyn Backend>>, Failure> {
    let runtime = host.runtime().map_or(Runtime::Best, Runtime::Named);
    Ok(vec![default(), Box::new(docker(host, runtime)?), Box::new(smolmachines(host)?)])
}

/// The backend that was asked for, by option or variable, or the default; on the runtime that was asked for.
///
/// # Errors
/// When there is none of that name, or it has no runtimes.
pub fn choose(option: Option<&str>, runtime: Option<&str>, host: &HostEnvironment) -> Result<Box<dyn Backend>, Failure> {
    let (wanted, by) = match (option, host.backend()) {
        (Some(name), _) => (Some(name.to_owned()), "--backend"),
        (None, Some(name)) => (Some(name), "BOT_BOTTLE_BACKEND"),
        (None, None) => (None, ""),
    };
    if wanted.as_deref() == Some("") {
        return Err(Failure::usage("--backend is empty").hint("name a backend, or leave it out"));
    }
    let mut all = all(host)?;
    let names: Vec<String> = all.iter().map(|backend| backend.name().to_string()).collect();
    let at = match &wanted {
        None => 0,
        Some(wanted) => names.iter().position(|name| name == wanted).ok_or_else(|| {
            Failure::usage(format!("{by}: there is no backend named {}", store::escape(wanted)))
                .hint(format!("use one of: {}", names.join(", ")))
        })?,
    };
    let backend = all.swap_remove(at);
    match runtime {
        None => Ok(backend),
        Some(runtime) if backend.name() == backend_docker::NAME => {
            Ok(Box::new(docker(host, Runtime::Named(runtime.to_owned()))?))
        }
        Some(_) => Err(Failure::usage(format!("--runtime: the {} backend has no runtimes to choose from", backend.name()))
            .hint(format!("add --backend {}", backend_docker::NAME))),
    }
}

fn docker(host: &HostEnvironment, runtime: Runtime) -> Result<DockerBackend, Failure> {
    let text = |name| host.docker(name).map(|value| value.to_string_lossy().into_owned());
    let path = |name| host.docker(name).map(Into::into);
    Ok(DockerBackend::new(Settings {
        host: host.docker("DOCKER_HOST").map(Into::into),
        context: host.docker("DOCKER_CONTEXT").map(Into::into),
        config: path("DOCKER_CONFIG").or_else(|| Some(host.home().ok()?.join(".docker"))),
        run: path("XDG_RUNTIME_DIR"),
        folder: host.bot_bottle_home()?.join("docker"),
        runtime,
        image: None,
        build: BuildSettings { base: text("BOT_BOTTLE_BASE_IMAGE"), network: text("BOT_BOTTLE_BUILD_NETWORK") },
    }))
}

fn smolmachines(host: &HostEnvironment) -> Result<SmolmachinesBackend, Failure> {
    let folder = host.bot_bottle_home()?.join("smolmachines");
    // Root's home is closed to the users that smolvm gives to root's machines.
    let sites = match host.is_root() {
        true => PathBuf::from("/run/bot-bottle-machines"),
        false => folder.join("sites"),
    };
    let program = "smolvm".into();
    Ok(SmolmachinesBackend::new(backend_smolmachines::Settings {
        program,
        environment: host.smolvm(),
        device: "/dev/kvm".into(),
        folder,
        sites,
        image: None,
    }))
}
