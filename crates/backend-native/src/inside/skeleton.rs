//! Folders that the bottle's root may write to.
//!
//! The host's files belong to a user that the bottle does not know, and its root has no capability to override that. A
//! folder that exists in the private layer too, however, takes its owner from there: the layer begins with these folders,
//! so that packages can be installed, `/usr/local` filled and certificates added, and none of it leaves the bottle.

use std::fs;
use std::path::Path;

use helper::step::{During, StepError};

/// Folders of certificates: an image may have links in their place, which nothing is copied through.
const CERTIFICATES: [&str; 8] =
    ["ssl", "ssl/certs", "ssl/certs/java", "pki", "pki/tls", "pki/tls/certs", "pki/java", "pki/ca-trust"];
/// Folders below a folder of the system, by that folder's path.
const WRITABLE: [(&str, &[&str]); 8] = [
    (
        "usr",
        &[
            "bin",
            "games",
            "include",
            "lib",
            "lib32",
            "lib64",
            "libexec",
            "sbin",
            "share",
            "src",
            "lib/aarch64-linux-gnu",
            "lib/node_modules",
            "lib/pkgconfig",
            "lib/python3",
            "lib/python3/dist-packages",
            "lib/x86_64-linux-gnu",
            "lib/x86_64-linux-gnu/pkgconfig",
            "share/applications",
            "share/bash-completion",
            "share/bash-completion/completions",
            "share/bug",
            "share/ca-certificates",
            "share/doc",
            "share/doc-base",
            "share/icons",
            "share/info",
            "share/lintian",
            "share/lintian/overrides",
            "share/locale",
            "share/man",
            "share/man/man1",
            "share/man/man3",
            "share/man/man5",
            "share/man/man7",
            "share/man/man8",
            "share/perl5",
            "share/pixmaps",
            "share/pkgconfig",
            "local",
            "local/bin",
            "local/etc",
            "local/games",
            "local/include",
            "local/lib",
            "local/lib/node_modules",
            "local/man",
            "local/sbin",
            "local/share",
            "local/share/ca-certificates",
            "local/share/man",
            "local/src",
        ],
    ),
    ("lib", &["x86_64-linux-gnu", "aarch64-linux-gnu"]),
    ("opt", &[]),
    ("bin", &[]),
    ("etc", &CERTIFICATES),
    ("etc/ssl/certs", &["java"]),
    ("etc/pki/ca-trust", &["extracted", "extracted/pem", "source", "source/anchors"]),
    ("etc/ca-certificates", &["trust-source", "trust-source/anchors"]),
];

/// Makes the writable folders of a host folder in its private `upper` layer, where the host has them as real folders. A link or a
/// missing folder stays what it is.
pub fn make(host: &Path, upper: &Path) -> Result<(), StepError> {
    let Some((_, folders)) = WRITABLE.iter().find(|(name, _)| Path::new("/").join(name) == host) else { return Ok(()) };
    folders.iter().try_for_each(|folder| place(folder, host, upper))
}

/// The same for an image: the folders that every bottle has, then the system's. They may belong to a user that the bottle does
/// not know there too, the host's root for instance, and the helper itself writes to some.
pub fn of_image<'a>(every: impl Iterator<Item = &'a str>, lower: &Path, upper: &Path) -> Result<(), StepError> {
    every.into_iter().try_for_each(|folder| place(folder, lower, upper))?;
    for (system, folders) in WRITABLE {
        place(system, lower, upper)?;
        folders.iter().try_for_each(|folder| place(&format!("{system}/{folder}"), lower, upper))?;
    }
    Ok(())
}

/// Puts an empty folder where an image has a link in the place of a folder of certificates (`/etc/ssl/certs` is one in Fedora's):
/// what it leads to may be anywhere.
pub fn replace_links(root: &Path) -> Result<(), StepError> {
    for folder in CERTIFICATES {
        let place = root.join("etc").join(folder);
        // Those above it were looked at before it: nothing is followed.
        if fs::symlink_metadata(&place).is_ok_and(|metadata| metadata.is_symlink()) {
            let replaced = fs::remove_file(&place).and_then(|()| fs::create_dir(&place));
            replaced.during_with(|| format!("making /etc/{folder} a folder of its own"))?;
        }
    }
    Ok(())
}

fn place(folder: &str, lower: &Path, upper: &Path) -> Result<(), StepError> {
    let is_folder = fs::symlink_metadata(lower.join(folder)).is_ok_and(|metadata| metadata.is_dir());
    let place = upper.join(folder);
    if is_folder && place.parent().is_some_and(Path::is_dir) && !place.exists() {
        fs::create_dir(&place).during_with(|| format!("preparing {folder}"))?;
    }
    Ok(())
}
