//! `/etc`: a list of harmless files of the host, and our own users, hosts and resolver. Whatever is not named here is not
//! there: shadow, ssh host keys, machine-id, credentials of package managers and mail, sudoers, cron, host network names.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, symlink};
use std::path::Path;

use super::host_folders::HostFolders;
use super::mounts::{self, NO_DEV, NO_SUID};
use super::rootfs::Layer;
use super::skeleton;
use helper::step::{During, StepError};

/// Files and links that programs of the system folders need. Copied, so that the bottle's root may change them.
const FILES: [&str; 24] = [
    "bash.bashrc",
    "bindresvport.blacklist",
    "debian_version",
    "ethertypes",
    "fedora-release",
    "gai.conf",
    "host.conf",
    "inputrc",
    "ld.so.cache",
    "ld.so.conf",
    "localtime",
    "lsb-release",
    "magic",
    "magic.mime",
    "mime.types",
    "nanorc",
    "networks",
    "os-release",
    "protocols",
    "redhat-release",
    "rpc",
    "services",
    "timezone",
    "vimrc",
];
/// Folders that they need, by whole name or by a beginning that ends with `*`.
const FOLDERS: [&str; 11] = [
    "alternatives",
    "ca-certificates",
    "crypto-policies",
    "fonts",
    "java*",
    "ld.so.conf.d",
    "perl",
    "python3*",
    "ssl/certs",
    "pki/ca-trust",
    "terminfo",
];
/// Single files of folders that hold private things too.
const NESTED_FILES: [&str; 5] =
    ["ca-certificates.conf", "pki/tls/cert.pem", "pki/tls/openssl.cnf", "ssl/cert.pem", "ssl/openssl.cnf"];
/// Certificate folders outside the two lists above.
const NESTED_FOLDERS: [&str; 1] = ["pki/tls/certs"];
/// Larger files are not configuration.
const LARGEST: u64 = 4 << 20;

/// Fills `root/etc` from the host's.
pub fn from_host(folders_of: &HostFolders<'_>, layer: &Layer, root: &Path) -> Result<(), StepError> {
    let (host, etc) = (Path::new("/etc"), root.join("etc"));
    let mut listed: Vec<_> = fs::read_dir(host).during("reading /etc")?.flatten().map(|entry| entry.file_name()).collect();
    listed.sort();
    let mut folders = Vec::new();
    for name in listed.iter().filter_map(|name| name.to_str()) {
        if FILES.contains(&name) || NESTED_FILES.contains(&name) {
            copy(&host.join(name), &etc.join(name))?;
        } else if FOLDERS.iter().any(|pattern| matches(pattern, name)) {
            folders.push(name);
        }
    }
    for name in NESTED_FILES.iter().filter(|name| name.contains('/')) {
        if host.join(name).is_file() {
            make_parent(&etc.join(name))?;
            copy(&host.join(name), &etc.join(name))?;
        }
    }
    for name in FOLDERS.iter().chain(&NESTED_FOLDERS).filter(|name| name.contains('/')) {
        if fs::symlink_metadata(host.join(name)).is_ok_and(|metadata| metadata.is_dir()) {
            make_parent(&etc.join(name))?;
            folders.push(name);
        }
    }
    show(folders_of, layer, &etc, folders)
}

/// Writes the files that are ours in every bottle.
pub fn own(root: &Path, name: &str) -> Result<(), StepError> {
    let shell = if root.join("bin/bash").exists() || root.join("usr/bin/bash").exists() { "/bin/bash" } else { "/bin/sh" };
    let files = [
        (
            "passwd",
            format!(
                "root:x:0:0:root:/root:{shell}\nnode:x:1000:1000:node:/home/node:{shell}\n\
                 nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
            ),
        ),
        ("group", "root:x:0:\ntty:x:5:\nstaff:x:50:\nnode:x:1000:\nnogroup:x:65534:\n".to_owned()),
        ("hosts", format!("127.0.0.1 localhost {name}\n::1 localhost ip6-localhost ip6-loopback\n")),
        ("hostname", format!("{name}\n")),
        ("resolv.conf", "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n".to_owned()),
        (
            "nsswitch.conf",
            "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n".to_owned(),
        ),
        // A login shell keeps the PATH it is given: the host's own profile would drop the agent's program from it.
        ("profile", "[ -n \"$BASH\" ] && [ -r /etc/bash.bashrc ] && . /etc/bash.bashrc\n:\n".to_owned()),
        ("environment", String::new()),
        ("shells", format!("/bin/sh\n{shell}\n")),
    ];
    for (name, content) in files {
        replace(&root.join("etc").join(name), content.as_bytes())?;
    }
    let mtab = root.join("etc/mtab");
    if fs::symlink_metadata(&mtab).is_err() {
        symlink("../proc/self/mounts", &mtab).during("linking /etc/mtab")?;
    }
    Ok(())
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |beginning| name.starts_with(beginning))
}

/// Shows folders of the host's, each below a private layer.
///
/// One overlay of all of /etc serves them, of which nothing but they is attached: a file system less for each is a bottle that
/// begins and ends sooner. The kernel refuses it where something is mounted below /etc, as containers' engines do; then each folder
/// is shown by itself.
fn show(folders_of: &HostFolders<'_>, layer: &Layer, etc: &Path, names: Vec<&str>) -> Result<(), StepError> {
    let host = Path::new("/etc");
    let mut folders = Vec::new();
    for name in names {
        if is_shown(&host.join(name), &etc.join(name))? {
            folders.push(name);
        }
    }
    if folders_of.table().is_mounted_below(host) {
        return folders.iter().try_for_each(|name| folders_of.fill(&host.join(name)));
    }
    let (upper, work) = layer.writable()?;
    for name in &folders {
        fs::create_dir_all(upper.join(name)).during_with(|| format!("preparing the private layer (etc/{name})"))?;
        skeleton::make(&host.join(name), &upper.join(name))?;
    }
    let whole = layer.path("etc");
    fs::create_dir(&whole).during("preparing the private layer (etc)")?;
    mounts::overlay(host, &upper, &work, &whole)?;
    folders.iter().try_for_each(|name| mounts::bind(&whole.join(name), &etc.join(name), NO_SUID | NO_DEV))
}

/// Makes the place of a folder. A link is copied instead, and what not everybody may read on the host is not for the bottle either.
fn is_shown(lower: &Path, place: &Path) -> Result<bool, StepError> {
    let metadata = fs::symlink_metadata(lower).during_with(|| format!("looking at {}", lower.display()))?;
    if metadata.is_symlink() {
        return copy(lower, place).map(|()| false);
    }
    if !metadata.is_dir() || metadata.mode() & 0o005 != 0o005 {
        return Ok(false);
    }
    fs::create_dir(place).during_with(|| format!("making {}", lower.display()))?;
    Ok(true)
}

fn copy(from: &Path, to: &Path) -> Result<(), StepError> {
    let step = || format!("copying {}", from.display());
    let metadata = fs::symlink_metadata(from).during_with(step)?;
    if metadata.is_symlink() {
        let target = fs::read_link(from).during_with(step)?;
        return symlink(target, to).during_with(step);
    }
    // Only what everybody may read on the host.
    if !metadata.is_file() || metadata.len() > LARGEST || metadata.mode() & 0o004 == 0 {
        return Ok(());
    }
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let mut content = Vec::new();
    let file = fs::OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(from).during_with(step)?;
    file.take(LARGEST).read_to_end(&mut content).during_with(step)?;
    replace(to, &content)
}

/// Writes a new file; an image may have a link or file there already.
fn replace(path: &Path, content: &[u8]) -> Result<(), StepError> {
    let step = || format!("writing {}", path.display());
    if fs::symlink_metadata(path).is_ok() {
        fs::remove_file(path).during_with(step)?;
    }
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(path);
    file.and_then(|mut file| file.write_all(content)).during_with(step)
}

fn make_parent(path: &Path) -> Result<(), StepError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).during_with(|| format!("making {}", parent.display()))
}
