//! Whether machines can be made here: what is missing, and the command that mends it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use bottle::{Boundary, Capabilities, ImageSupport, LimitSupport, Replacing, Terminals, Unavailable, Users};

use crate::arguments::{self, CREATE_OPTIONS};
use crate::backend::NAME;
use crate::launch::DEFAULT_STORAGE;
use crate::settings::Settings;
use crate::smolvm::{Smolvm, SmolvmError};

/// The first version with all that is needed.
const OLDEST: (u64, u64, u64) = (1, 32, 0);
/// What an answer of the program may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks at the program, its data, and the machine.
///
/// # Errors
/// What is missing.
pub async fn check(smolvm: &Smolvm, settings: &Settings) -> Result<Capabilities, Unavailable> {
    let version = smolvm.run(arguments::version(), PATIENCE).await.map_err(|error| unavailable(&error))?;
    new_enough(&String::from_utf8_lossy(&version))?;
    let help = smolvm.run(arguments::help(), PATIENCE).await.map_err(|error| unavailable(&error))?;
    knows_options(&String::from_utf8_lossy(&help))?;
    kvm(&settings.device, rustix::process::geteuid().is_root())?;
    smolvm.ask::<Vec<serde_json::Value>>(arguments::list(), PATIENCE).await.map_err(|error| unavailable(&error))?;
    Ok(capabilities(settings))
}

/// A hint for each of smolvm's ways to fail.
pub fn unavailable(error: &SmolvmError) -> Unavailable {
    let hints: &[&str] = match error {
        SmolvmError::Missing(_) => &[
            "install smolvm 1.32 or newer so that it is on PATH: curl -sSL https://smolmachines.com/install.sh | bash",
            "or, for machines without that: pip install smolmachines",
        ],
        SmolvmError::Start { .. } => &["see that the program can be executed: ls -l \"$(command -v smolvm)\""],
        SmolvmError::Refused { .. } | SmolvmError::Failed { .. } | SmolvmError::Garbled { .. } => {
            &["see what smolvm says of its own data (~/.local/share/smolvm, ~/.cache/smolvm): smolvm machine ls"]
        }
        SmolvmError::Late { .. } => &["another smolvm may hold its data: ps -C smolvm,smol-vmm -f"],
    };
    missing(error.to_string(), hints)
}

fn missing(what: String, hints: &[&str]) -> Unavailable {
    Unavailable { backend: NAME, missing: what, hints: hints.iter().map(|hint| (*hint).to_owned()).collect() }
}

fn new_enough(said: &str) -> Result<(), Unavailable> {
    let hint = "smolvm upgrade, or: curl -sSL https://smolmachines.com/install.sh | bash";
    let Some(version) = parse(said) else {
        return Err(missing(format!("smolvm does not say its version but {:?}", shown(said)), &[hint]));
    };
    if version < OLDEST {
        let (major, minor, patch) = version;
        let what = format!("smolvm is {major}.{minor}.{patch}, and {}.{} is the oldest that works", OLDEST.0, OLDEST.1);
        return Err(missing(what, &[hint]));
    }
    Ok(())
}

/// `smolvm 1.32.2`, alone on a line or after notes.
fn parse(said: &str) -> Option<(u64, u64, u64)> {
    let version = said.lines().find_map(|line| line.trim().strip_prefix("smolvm "))?;
    let mut numbers = version.trim().split(['.', '-', '+', ' ']).map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, numbers.next().flatten().unwrap_or(0)))
}

fn knows_options(help: &str) -> Result<(), Unavailable> {
    let known: Vec<&str> = help.split(|c: char| !(c.is_alphanumeric() || c == '-')).collect();
    let unknown: Vec<&str> = CREATE_OPTIONS.into_iter().filter(|option| !known.contains(option)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let what = format!("this smolvm does not know what bottles need: `smolvm machine create` has no {}", unknown.join(", "));
    Err(missing(what, &["use a version that does; 1.32.2 is known to"]))
}

/// Started by root, smolvm gives each machine a user of its own, who opens the device too.
fn kvm(device: &Path, root: bool) -> Result<(), Unavailable> {
    if cfg!(not(target_os = "linux")) {
        return Ok(());
    }
    let Ok(metadata) = fs::metadata(device) else {
        let what = format!("there is no {}: this machine has no virtualisation, or its module is not loaded", device.display());
        return Err(missing(
            what,
            &["sudo modprobe kvm_intel || sudo modprobe kvm_amd", "in a virtual machine: switch on nested virtualisation"],
        ));
    };
    let device = device.display();
    if root && metadata.mode() & 0o066 == 0 {
        let what = format!("{device} is root's alone, and smolvm gives each machine a user of its own");
        return Err(missing(what, &[&format!("chmod 666 {device}")]));
    }
    if !root && fs::File::options().read(true).write(true).open(device.to_string()).is_err() {
        let hint = match group(metadata.gid()) {
            Some(group) => format!("sudo usermod -aG {group} \"$USER\"   # then log in again"),
            None => format!("sudo chmod 666 {device}"),
        };
        return Err(missing(format!("{device} may not be opened for reading and writing"), &[&hint]));
    }
    Ok(())
}

/// The name of a group (`group(5)`). Root's own is none to join.
fn group(gid: u32) -> Option<String> {
    let groups = fs::read_to_string("/etc/group").ok()?;
    let named = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == gid.to_string()).then(|| name.to_owned())
    });
    named.filter(|_| gid != 0)
}

fn capabilities(settings: &Settings) -> Capabilities {
    Capabilities {
        boundary: Boundary::VirtualMachine,
        users: Users::Separate,
        transparent: true,
        replacing: Replacing::AtOnce,
        terminals: Terminals::Whole,
        limits: LimitSupport::all(),
        images: ImageSupport {
            default: settings
                .image
                .as_ref()
                .map(|_| ())
                .ok_or_else(|| "a machine is made from an image, and none is named".to_owned()),
            build: Err("smolvm builds no images; build it and name it (`docker build --tag NAME …`), or name an archive of it \
                        (`docker save NAME -o FILE.tar`)"
                .to_owned()),
            ..ImageSupport::all()
        },
        room: Some(DEFAULT_STORAGE << 30),
        remarks: Vec::new(),
    }
}

fn shown(text: &str) -> String {
    text.trim().chars().take(80).collect()
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
