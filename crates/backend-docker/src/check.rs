//! What an engine can do, by what it says of itself.

use bollard::models::SystemInfo;
use bottle::{Boundary, Capabilities, LimitSupport, Replacing, Terminals, Unavailable, Users};

use crate::backend::NAME;
use crate::images;
use crate::settings::{Runtime, Settings};

/// The name under which engines know gVisor.
const GVISOR: &str = "runsc";

/// A runtime of the engine's, for bottles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its name; `None` is the engine's default.
    pub name: Option<String>,
    /// Whether it is gVisor.
    pub gvisor: bool,
}

/// The runtime for bottles.
///
/// # Errors
/// When the engine does not know the one that was chosen.
pub fn runtime(info: &SystemInfo, chosen: &Runtime) -> Result<Chosen, Unavailable> {
    let known = |name: &str| info.runtimes.as_ref().and_then(|runtimes| runtimes.get(name));
    match chosen {
        Runtime::Best if known(GVISOR).is_some() => Ok(Chosen { name: Some(GVISOR.to_owned()), gvisor: true }),
        Runtime::Best => Ok(Chosen { name: None, gvisor: info.default_runtime.as_deref() == Some(GVISOR) }),
        Runtime::Named(name) if known(name).is_some() => {
            let path = known(name).and_then(|runtime| runtime.path.as_deref()).unwrap_or_default();
            let gvisor = name.contains(GVISOR) || path.rsplit('/').next() == Some(GVISOR);
            Ok(Chosen { name: Some(name.clone()), gvisor })
        }
        Runtime::Named(name) => Err(Unavailable {
            backend: NAME,
            missing: format!("the engine knows no runtime {name:?}"),
            hints: vec!["docker info --format '{{json .Runtimes}}'".to_owned()],
        }),
    }
}

/// What bottles of this engine can do.
///
/// # Errors
/// When it cannot make any.
pub fn capabilities(info: &SystemInfo, runtime: &Chosen, settings: &Settings) -> Result<Capabilities, Unavailable> {
    let unavailable =
        |missing: &str, hint: &str| Unavailable { backend: NAME, missing: missing.to_owned(), hints: vec![hint.to_owned()] };
    if info.os_type.as_deref() != Some("linux") {
        return Err(unavailable("the engine does not run Linux containers", "switch it to Linux containers"));
    }
    if info.operating_system.as_deref().is_some_and(|system| system.contains("Docker Desktop")) {
        return Err(unavailable(
            "the engine is Docker Desktop's, whose containers run on another kernel and cannot reach the session's socket",
            "docker context use default   # with Docker Engine on this machine",
        ));
    }
    let gvisor = runtime.gvisor;
    Ok(Capabilities {
        boundary: if gvisor { Boundary::UserSpaceKernel } else { Boundary::Namespaces },
        users: Users::Separate,
        transparent: !gvisor,
        terminals: if gvisor { Terminals::WithoutLines } else { Terminals::Whole },
        replacing: if gvisor { Replacing::WithAGap } else { Replacing::AtOnce },
        limits: if gvisor { limits_on_gvisor(info) } else { limits(info) },
        images: images::support(settings),
        room: room(info),
        remarks: if gvisor { remarks_on_gvisor() } else { remarks(info) },
    })
}

fn limits(info: &SystemInfo) -> LimitSupport {
    let able = |said: Option<bool>, what: &str| match said {
        Some(true) => Ok(()),
        Some(false) | None => Err(format!("the engine says that it cannot limit {what} on this kernel (see `docker info`)")),
    };
    LimitSupport {
        memory: able(info.memory_limit, "memory"),
        cpus: able(info.cpu_cfs_quota, "processors"),
        pids: able(info.pids_limit, "processes"),
        disk: disk(info),
    }
}

/// What the file system of the engine's data has left, for whom it can be told.
fn room(info: &SystemInfo) -> Option<u64> {
    let stat = rustix::fs::statvfs(info.docker_root_dir.as_deref()?).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

fn limits_on_gvisor(info: &SystemInfo) -> LimitSupport {
    let reason = "gVisor's processes are no processes of the host's, which counts its threads, and its own count lets go of those that have \
                  ended; use --runtime runc, or leave limits.pids out";
    LimitSupport { pids: Err(reason.to_owned()), ..limits(info) }
}

fn disk(info: &SystemInfo) -> Result<(), String> {
    let driver = info.driver.as_deref().unwrap_or("unknown");
    match driver {
        "btrfs" | "zfs" | "devicemapper" => Ok(()),
        _other => Err(format!(
            "the engine's storage driver ({driver}) cannot limit what a container writes; use btrfs or zfs for its data, or the \
             backend `native`"
        )),
    }
}

fn remarks_on_gvisor() -> Vec<String> {
    [
        "under gVisor programs reach the proxy alone: what knows no HTTP_PROXY reaches nothing",
        "gVisor's terminals edit no lines: a program \
     that leaves that to them reads Backspace and Ctrl-D as they are",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn remarks(info: &SystemInfo) -> Vec<String> {
    let rootless = info.security_options.iter().flatten().any(|option| option.contains("rootless"));
    let remapped = info.security_options.iter().flatten().any(|option| option.contains("userns"));
    if rootless || remapped {
        return Vec::new();
    }
    vec!["the bottle's root is the host's root without its powers; rootless Docker or gVisor would make it nobody".to_owned()]
}
