//! Whether bottles can be made here, and what to do when not.

use std::fs;

use bottle::Unavailable;
use rustix::process::getuid;

use crate::backend::NAME;

/// The oldest kernel with everything that is needed: `mount_setattr(2)`, overlays in user namespaces (5.11).
const OLDEST: (u32, u32) = (5, 12);
const APPARMOR: &str = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";

/// Looks at the kernel's switches. Starts nothing.
pub fn kernel() -> Result<(), Unavailable> {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    if version(&release).is_some_and(|version| version < OLDEST) {
        let missing = format!("it needs Linux {}.{}, this is {release}", OLDEST.0, OLDEST.1);
        return Err(unavailable(missing, ["use a newer kernel".to_owned()]));
    }
    if switch("/proc/sys/user/max_user_namespaces") == Some(0) {
        let hint = "sudo sysctl -w user.max_user_namespaces=15000   (to keep it: a file in /etc/sysctl.d)".to_owned();
        return Err(unavailable("user namespaces are switched off (user.max_user_namespaces is 0)".to_owned(), [hint]));
    }
    if !getuid().is_root() && switch("/proc/sys/kernel/unprivileged_userns_clone") == Some(0) {
        let missing = "user namespaces are for root alone (kernel.unprivileged_userns_clone is 0)".to_owned();
        return Err(unavailable(missing, ["sudo sysctl -w kernel.unprivileged_userns_clone=1".to_owned()]));
    }
    Ok(())
}

/// Whether only a trial can tell if bottles can be made: something here takes power away from programs in ways that no switch
/// shows (AppArmor, a container's own system call filter, a /proc with parts covered).
pub fn needs_a_trial() -> bool {
    let apparmor = !getuid().is_root() && switch(APPARMOR) == Some(1);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let filtered = status.lines().any(|line| line.strip_prefix("Seccomp:").is_some_and(|mode| mode.trim() != "0"));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let covered = mounts.lines().filter_map(|line| line.split(' ').nth(4)).any(|place| {
        // binfmt_misc is mounted on most machines and covers nothing.
        place.starts_with("/proc/") && place != "/proc/sys/fs/binfmt_misc"
    });
    apparmor || filtered || covered
}

/// Turns a step that the kernel refused into what the person can do about it, when the cause is known.
pub fn explain(step: &str, errno: i32) -> Option<Unavailable> {
    let refused = matches!(errno, libc::EPERM | libc::EACCES);
    // Not every refusal: an unreadable tool or image has nothing to do with it.
    let of_namespaces = ["making a", "making the mount", "writing /proc/", "leaving the host", "mounting a", "laying a"];
    let by_apparmor = of_namespaces.iter().any(|beginning| step.starts_with(beginning));
    if refused && by_apparmor && !getuid().is_root() && switch(APPARMOR) == Some(1) {
        return Some(apparmor());
    }
    if step == "making a user namespace" {
        return Some(match errno {
            libc::ENOSPC => unavailable(
                "no more user namespaces may be made (user.max_user_namespaces)".to_owned(),
                ["sudo sysctl -w user.max_user_namespaces=15000".to_owned()],
            ),
            _ => unavailable(
                "the kernel or a container around this process refuses user namespaces".to_owned(),
                [
                    "inside a container: start it with a seccomp profile that allows unshare and mount".to_owned(),
                    "on a machine of your own: `sysctl -a | grep userns` shows what is switched off".to_owned(),
                ],
            ),
        });
    }
    if step == "mounting a private /proc" && refused {
        let hint = "inside a container: unmask /proc (docker run --security-opt systempaths=unconfined)".to_owned();
        return Some(unavailable(
            "the kernel refuses a fresh /proc because this process cannot see a whole one".to_owned(),
            [hint],
        ));
    }
    if step.starts_with("laying a private layer over") && errno == libc::ENODEV {
        return Some(unavailable("the kernel has no overlay file system".to_owned(), ["sudo modprobe overlay".to_owned()]));
    }
    None
}

/// Ubuntu since 23.10 lets a program make a user namespace but takes all power in it away, unless a profile names it.
fn apparmor() -> Unavailable {
    let program =
        fs::read_link("/proc/self/exe").map(|path| path.display().to_string()).unwrap_or_else(|_| "/PATH/TO/bot-bottle".into());
    unavailable(
        "AppArmor forbids programs without a profile to use user namespaces (kernel.apparmor_restrict_unprivileged_userns is 1)"
            .to_owned(),
        [
            format!(
                "give bot-bottle a profile: printf 'abi <abi/4.0>,\\nprofile bot-bottle {program} flags=(unconfined) {{ userns, }}\\n' | \
                 sudo tee /etc/apparmor.d/bot-bottle && sudo apparmor_parser -r /etc/apparmor.d/bot-bottle"
            ),
            "or lift it for all programs: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0".to_owned(),
        ],
    )
}

fn unavailable<const N: usize>(missing: String, hints: [String; N]) -> Unavailable {
    Unavailable { backend: NAME, missing, hints: hints.into() }
}

fn switch(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Whether this kernel is that new. One whose version cannot be read is not.
pub fn kernel_is_at_least(wanted: (u32, u32)) -> bool {
    version(&rustix::system::uname().release().to_string_lossy()).is_some_and(|version| version >= wanted)
}

fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn kernel_versions_are_compared_as_numbers() {
        assert!(version("5.4.0-99-generic") < Some(super::OLDEST));
        assert!(version("6.18.44-fc-v669").is_some_and(|version| version >= super::OLDEST));
        assert_eq!(version("odd"), None);
    }
}
