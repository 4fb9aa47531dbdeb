use std::path::Path;

use agents::Shown;
use bottle::{GuestPath, Tool};

/// Folders that programs in the bottle need as they are: what is put there would replace them, or be hidden by them.
const SYSTEM: [&str; 13] =
    ["/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/root", "/run", "/sbin", "/sys"];
/// Folders with room for something two levels below them (`/usr/src/app`, `/var/www/site`).
const DEEP: [&str; 2] = ["/usr", "/var"];
/// Folders that hold more than one thing.
const SHARED: [&str; 4] = ["/home", "/home/node", "/opt", "/tmp"];

/// Whether a folder of the host's may be put at `at`, in the place of whatever is there.
///
/// # Errors
/// What is there already.
pub(crate) fn check(at: &GuestPath, tools: &[Tool]) -> Result<(), String> {
    let path = at.as_path();
    let below_two = |folder: &str| path.strip_prefix(folder).is_ok_and(|rest| rest.components().count() < 2);
    if path.parent().is_none()
        || SYSTEM.iter().any(|folder| path.starts_with(folder))
        || DEEP.iter().any(|folder| below_two(folder))
        || SHARED.iter().any(|folder| path == Path::new(folder))
        || path.starts_with("/opt/bot-bottle")
    {
        return Err("the bottle's own system is there".to_owned());
    }
    if let Some(tool) = tools.iter().find(|tool| path.starts_with(tool.path()) || tool.path().starts_with(path)) {
        return Err(format!("{} of the host is visible there", Shown::path(tool.path())));
    }
    Ok(())
}
