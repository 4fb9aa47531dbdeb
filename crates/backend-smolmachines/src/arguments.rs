//! Every command line of smolvm's. Nothing here is a secret: command lines are everybody's to read.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Options that are used and must be there: what a newer smolvm has changed is seen before a machine is made.
pub const CREATE_OPTIONS: [&str; 11] = [
    "--name",
    "--image",
    "--label",
    "--mount-socket",
    "--volume",
    "--user",
    "--stop-on-exit",
    "--cpus",
    "--mem",
    "--storage",
    "--error-format",
];

/// A machine to be made.
#[derive(Debug)]
pub struct Create<'a> {
    /// Its name.
    pub name: &'a str,
    /// A folder or archive.
    pub image: &'a Path,
    /// Processors.
    pub cpus: u64,
    /// Memory in MiB.
    pub memory: u64,
    /// Disk for all that is written, in GiB.
    pub storage: u64,
    /// Names and values.
    pub labels: &'a [(&'a str, &'a OsStr)],
    /// Sockets of the host, each with its place in the machine.
    pub sockets: &'a [(PathBuf, &'a str)],
    /// Folders of the host, read-only, each with its place in the machine.
    pub folders: &'a [(&'a Path, &'a Path)],
    /// What the machine is for; it stops when that ends.
    pub workload: &'a [OsString],
}

impl Create<'_> {
    /// No `--net` and no `--env`: a machine without a network, whose secrets come over its own stream.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut all = machine("create", self.name);
        all.extend(["--image".into(), self.image.into()]);
        for (option, value) in [("--cpus", self.cpus), ("--mem", self.memory), ("--storage", self.storage)] {
            all.extend([option.into(), value.to_string().into()]);
        }
        for (name, value) in self.labels {
            all.extend(["--label".into(), join(&[OsStr::new(name), OsStr::new("="), value])]);
        }
        for (host, guest) in self.sockets {
            all.extend(["--mount-socket".into(), join(&[host.as_os_str(), OsStr::new(":"), OsStr::new(guest)])]);
        }
        for (host, guest) in self.folders {
            all.extend(["--volume".into(), join(&[host.as_os_str(), OsStr::new(":"), guest.as_os_str(), OsStr::new(":ro")])]);
        }
        // By number: an image may have no such name, and its own user is not asked.
        all.extend(["--user", "0:0", "--stop-on-exit", "--"].map(Into::into));
        all.extend(self.workload.iter().cloned());
        all
    }
}

/// Boots a machine and starts its workload.
pub fn start(name: &str) -> Vec<OsString> {
    machine("start", name)
}

/// Ends a machine and removes all of it.
pub fn delete(name: &str) -> Vec<OsString> {
    let mut all = machine("delete", name);
    all.push("--force".into());
    all
}

/// Tells the state of one machine.
pub fn status(name: &str) -> Vec<OsString> {
    let mut all = machine("status", name);
    all.push("--json".into());
    all
}

/// Tells where a machine has its console's log.
pub fn data_dir(name: &str) -> Vec<OsString> {
    machine("data-dir", name)
}

/// Lists all machines.
pub fn list() -> Vec<OsString> {
    ["machine", "ls", "--json", "--error-format", "json"].map(Into::into).to_vec()
}

/// Tells the version.
pub fn version() -> Vec<OsString> {
    vec!["--version".into()]
}

/// Tells the options of `create`.
pub fn help() -> Vec<OsString> {
    ["machine", "create", "--help"].map(Into::into).to_vec()
}

fn machine(command: &str, name: &str) -> Vec<OsString> {
    ["machine", command, "--name", name, "--error-format", "json"].map(Into::into).to_vec()
}

fn join(parts: &[&OsStr]) -> OsString {
    let mut all = OsString::new();
    parts.iter().for_each(|part| all.push(part));
    all
}
