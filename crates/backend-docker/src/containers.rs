//! How the two containers of a bottle are to be made. Nothing here talks to the engine.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig, Mount, MountBindOptions,
    MountType, MountVolumeOptions, MountVolumeOptionsDriverConfig, ResourcesUlimits,
};
use bottle::{BottleSpec, Limits};

use helper::session::site::SOCKET;

/// What the options of a mount cannot hold in a path.
const SEPARATORS: [u8; 3] = *b",:\\";

/// Whether a tool at this path can be shown.
pub fn can_be_shown(tool: &Path) -> bool {
    !tool.as_os_str().as_bytes().iter().any(|byte| SEPARATORS.contains(byte)) && tool.to_str().is_some()
}

/// Label of a container: its bottle's name.
pub const BOTTLE: &str = "bot-bottle.bottle";
/// Label: the lock that its session holds, a path on the host.
pub const LOCK: &str = "bot-bottle.lock";
/// Label: what the container is for.
const ROLE: &str = "bot-bottle.role";

/// Where a bottle's container finds the helper.
const HELPER: &str = "/run/bot-bottle/helper";
/// Where the helper finds a relay that runs inside, and that the socket's folder.
const INNER_RELAY: &str = "/run/bot-bottle/relay";
const INNER_OUTLET: &str = "/run/bot-bottle/outlet";
/// Where the relay is in its image.
pub const RELAY: &str = "/relay";
/// Where the relay finds the socket's folder.
const OUTLET: &str = "/outlet";
/// What the helper needs: to become the bottle's users, to own and read files while copying, and to kill. Programs have none.
const HELPERS: [&str; 7] = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETPCAP", "SETUID"];
/// What the relay needs until it has set its routes, listens, and is somebody else.
const RELAYS: [&str; 5] = ["NET_ADMIN", "NET_BIND_SERVICE", "SETGID", "SETPCAP", "SETUID"];
/// What is hidden: engines' own list, and all of `/sys`, which tells of the host's devices, cgroups and file systems.
const MASKED: [&str; 13] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kallsyms",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/sysrq-trigger",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys",
];
/// Of the host's processes these are the first that its memory killer should take.
const SCORE: i64 = 500;

/// Whose kernel a bottle runs on, and what follows for its container.
#[derive(Debug, Clone, Copy)]
pub enum Kernel<'a> {
    /// The host's: the relay has a container of its own.
    Host {
        /// Whether it has IPv6.
        v6: bool,
    },
    /// gVisor's, whose network no other container can share: the relay runs inside.
    OfItsOwn {
        /// The relay's file on the host.
        relay: &'a Path,
        /// The folder with the outlet's socket.
        outlet: &'a Path,
    },
}

/// The agent's container.
pub struct Bottle<'a> {
    /// What was asked for.
    pub spec: &'a BottleSpec,
    /// Its image.
    pub image: &'a str,
    /// The helper's file on the host.
    pub helper: &'a Path,
    /// The session's lock.
    pub lock: &'a Path,
    /// The engine's runtime; its default when `None`.
    pub runtime: Option<&'a str>,
    /// An empty folder on the host.
    pub empty: &'a Path,
    /// Whose kernel it runs on.
    pub kernel: Kernel<'a>,
}

impl Bottle<'_> {
    /// Its configuration.
    pub fn config(&self) -> ContainerCreateBody {
        let mut mounts = vec![bind(self.helper, HELPER)];
        mounts.extend(self.spec.tools.iter().map(|tool| self.tool(tool.path())));
        let limits = match self.kernel {
            Kernel::Host { .. } => self.spec.limits,
            Kernel::OfItsOwn { relay, outlet } => {
                mounts.extend([bind(relay, INNER_RELAY), bind(outlet, INNER_OUTLET)]);
                Limits { pids: self.spec.limits.pids.map(threads_of), ..self.spec.limits }
            }
        };
        let host = HostConfig {
            mounts: Some(mounts),
            // No interface but loopback. There is no bridge, so nothing to tunnel through.
            network_mode: Some("none".to_owned()),
            dns: Some(vec!["127.0.0.1".to_owned()]),
            sysctls: self.sysctls(),
            runtime: self.runtime.map(str::to_owned),
            ..confined(&self.capabilities(), &limits)
        };
        ContainerCreateBody {
            image: Some(self.image.to_owned()),
            hostname: Some(self.spec.name.to_string()),
            entrypoint: Some(vec![HELPER.to_owned()]),
            cmd: Some(self.arguments()),
            labels: Some(labels(self.spec, self.lock, "bottle")),
            host_config: Some(host),
            ..conversing()
        }
    }
}

/// How many threads of the host's gVisor may have for so many processes of the bottle: it has one for each thread in it, and some
/// for itself. The bottle's own kernel holds the number of processes.
fn threads_of(processes: u64) -> u64 {
    processes.saturating_mul(2).saturating_add(1024)
}

impl Bottle<'_> {
    fn capabilities(&self) -> Vec<&'static str> {
        let own: &[&str] = match self.kernel {
            Kernel::Host { .. } => &[],
            // To mount gVisor's control groups, before any program runs. It counts inside the sandbox alone.
            Kernel::OfItsOwn { .. } => &["SYS_ADMIN"],
        };
        HELPERS.iter().chain(own).copied().collect()
    }

    fn arguments(&self) -> Vec<String> {
        let Kernel::OfItsOwn { .. } = self.kernel else { return Vec::new() };
        let most = self.spec.limits.pids.map_or_else(|| "any".to_owned(), |most| most.to_string());
        let socket = format!("{INNER_OUTLET}/{SOCKET}");
        ["--processes", &most, "--relay", INNER_RELAY, "explicit", &socket].map(str::to_owned).to_vec()
    }

    /// A folder is shown below an empty one, as an overlay: a socket, a FIFO or a lock in it is then none of the host's, and nothing
    /// goes out by it. A file is shown as it is.
    fn tool(&self, path: &Path) -> Mount {
        if !path.is_dir() {
            return bind(path, &path.to_string_lossy());
        }
        let layers = format!("ro,nosuid,nodev,lowerdir={}:{}", path.display(), self.empty.display());
        let options = map([("type", "overlay"), ("device", "overlay"), ("o", &layers)]);
        Mount {
            target: Some(path.to_string_lossy().into_owned()),
            // Without a name: it goes with the container. Without a layer to write to it is read-only.
            typ: Some(MountType::VOLUME),
            volume_options: Some(MountVolumeOptions {
                no_copy: Some(true),
                driver_config: Some(MountVolumeOptionsDriverConfig { name: Some("local".to_owned()), options: Some(options) }),
                ..MountVolumeOptions::default()
            }),
            ..Mount::default()
        }
    }

    fn sysctls(&self) -> Option<HashMap<String, String>> {
        let Kernel::Host { v6 } = self.kernel else { return None };
        // Otherwise any program could take port 53, 80 or 443 of an address for itself.
        let mut all = map([("net.ipv4.ip_unprivileged_port_start", "1024")]);
        if v6 {
            // Engines switch it off where there is no network. Every address is to lead to the outlet.
            all.extend(map([("net.ipv6.conf.all.disable_ipv6", "0"), ("net.ipv6.conf.lo.disable_ipv6", "0")]));
        }
        Some(all)
    }
}

/// The relay's container.
pub struct Relay<'a> {
    /// The bottle's spec.
    pub spec: &'a BottleSpec,
    /// The relay's image.
    pub image: &'a str,
    /// The bottle's container, whose network it shares.
    pub bottle: &'a str,
    /// The session's lock.
    pub lock: &'a Path,
    /// The folder with the outlet's socket.
    pub outlet: &'a Path,
}

impl Relay<'_> {
    /// Its configuration.
    pub fn config(&self) -> ContainerCreateBody {
        let limits = Limits { memory: Some(64 << 20), pids: Some(8), ..Limits::default() };
        let mut host = confined(&RELAYS, &limits);
        host.mounts = Some(vec![bind(self.outlet, OUTLET)]);
        host.network_mode = Some(format!("container:{}", self.bottle));
        host.readonly_rootfs = Some(true);
        host.ulimits = Some(vec![ResourcesUlimits { name: Some("nofile".to_owned()), soft: Some(16_384), hard: Some(16_384) }]);
        // Where SELinux is in force it would not let a container connect to a socket of the session's.
        host.security_opt.get_or_insert_default().push("label=disable".to_owned());
        ContainerCreateBody {
            image: Some(self.image.to_owned()),
            entrypoint: Some(vec![RELAY.to_owned()]),
            cmd: Some(vec!["transparent".to_owned(), format!("{OUTLET}/{SOCKET}")]),
            labels: Some(labels(self.spec, self.lock, "relay")),
            host_config: Some(host),
            ..quiet()
        }
    }
}

/// What both have in common on the host.
fn confined(capabilities: &[&str], limits: &Limits) -> HostConfig {
    let memory = limits.memory.and_then(|bytes| i64::try_from(bytes).ok());
    HostConfig {
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(capabilities.iter().map(|name| (*name).to_owned()).collect()),
        // The engine's default system call filter stays, and programs get the helper's own beside it.
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        masked_paths: Some(MASKED.iter().map(|path| (*path).to_owned()).collect()),
        cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
        ipc_mode: Some("private".to_owned()),
        // The stream of the bottle's first process holds all that programs read and write, variables too: never on a disk.
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        // Whoever cannot be asked to clean up leaves nothing: both end when the session does.
        auto_remove: Some(true),
        // The helper is the first process: no program of the bottle can kill it (`pid_namespaces(7)`), as it could kill a child
        // of the engine's own init.
        init: Some(false),
        oom_score_adj: Some(SCORE),
        memory,
        // The same as memory alone: no swap beside it.
        memory_swap: memory,
        nano_cpus: limits.cpus.map(|cores| (cores * 1e9) as i64),
        pids_limit: limits.pids.and_then(|count| i64::try_from(count).ok()),
        storage_opt: limits.disk.map(|bytes| HashMap::from([("size".to_owned(), bytes.to_string())])),
        ..HostConfig::default()
    }
}

/// A container that nobody listens to.
fn quiet() -> ContainerCreateBody {
    ContainerCreateBody {
        user: Some("0:0".to_owned()),
        working_dir: Some("/".to_owned()),
        // An engine that is stopped, or told to stop it, does not wait for what only the session can ask of it.
        stop_signal: Some("SIGKILL".to_owned()),
        // An image can bring a command that the engine runs every few seconds, with the helper's capabilities.
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
        ..ContainerCreateBody::default()
    }
}

/// A container whose streams are the session's. Its stdin ends when the session's connection does, whatever ends that.
fn conversing() -> ContainerCreateBody {
    ContainerCreateBody {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        open_stdin: Some(true),
        stdin_once: Some(true),
        tty: Some(false),
        ..quiet()
    }
}

/// A file or folder of the host, read-only. What is mounted below it stays out.
fn bind(source: &Path, target: &str) -> Mount {
    Mount {
        target: Some(target.to_owned()),
        source: Some(source.to_string_lossy().into_owned()),
        typ: Some(MountType::BIND),
        read_only: Some(true),
        bind_options: Some(MountBindOptions { non_recursive: Some(true), ..MountBindOptions::default() }),
        ..Mount::default()
    }
}

fn labels(spec: &BottleSpec, lock: &Path, role: &str) -> HashMap<String, String> {
    map([(BOTTLE, spec.name.as_str()), (LOCK, &lock.to_string_lossy()), (ROLE, role)])
}

fn map<const N: usize>(pairs: [(&str, &str); N]) -> HashMap<String, String> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
