//! Which host ids a bottle's ids become (`user_namespaces(7)`, `subuid(5)`, `newuidmap(1)`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, getgid, getuid};

use helper::wire::Ids;

/// How many ids a bottle has where it has its own range.
const RANGE: u32 = 65_536;
/// The bottle's user `node`.
const NODE: u32 = 1000;
/// The range from which root takes ids for its bottles: the upper part of what systemd sets aside for containers that are
/// given ids at random (`systemd.io/UIDS-GIDS`, up to 1879048191), far above the subordinate ids of persons.
const CONTAINERS: std::ops::Range<u32> = 1_073_741_824..1_879_048_192;

/// How this person's bottles get their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdPlan {
    /// The session is root's: a range that belongs to nobody. Nothing in the bottle is the host's root.
    Root,
    /// `newuidmap` and `newgidmap` map a range that the person was given. `node` is the person.
    Subordinate {
        /// Where the two programs are.
        tools: [PathBuf; 2],
        /// First subordinate user id and first subordinate group id.
        first: [u32; 2],
    },
    /// The person's own id alone.
    Single,
}

impl IdPlan {
    /// Finds out what this person may use. The second value says why it is no more than that.
    pub fn find() -> (Self, Option<String>) {
        if getuid().is_root() {
            return (Self::Root, None);
        }
        match subordinate() {
            Ok(plan) => (plan, None),
            Err(why) => (Self::Single, Some(why)),
        }
    }

    /// The host's id of a user of the bottle `name`, where it is not the person's own.
    pub fn host_id(&self, name: &str, root: bool) -> Option<u32> {
        match self {
            Self::Root => Some(range_for(name) + if root { 0 } else { NODE }),
            Self::Subordinate { .. } | Self::Single => None,
        }
    }

    /// What the helper is told.
    pub fn for_helper(&self) -> Ids {
        match self {
            Self::Root | Self::Subordinate { .. } => Ids::Mapped,
            Self::Single => Ids::Single { uid: getuid().as_raw(), gid: getgid().as_raw() },
        }
    }

    /// Writes the maps of a helper that waits for them. `name` picks the range of root's bottles, so that two of them
    /// rarely share one.
    pub fn apply(&self, helper: Pid, name: &str) -> io::Result<()> {
        let process = PathBuf::from(format!("/proc/{}", helper.as_raw_nonzero()));
        match self {
            Self::Single => Ok(()),
            Self::Root => {
                let first = range_for(name);
                let map = format!("0 {first} {RANGE}\n");
                write(&process.join("uid_map"), &map)?;
                write(&process.join("gid_map"), &map)
            }
            Self::Subordinate { tools, first } => {
                let own = [getuid().as_raw(), getgid().as_raw()];
                let mut running = Vec::new();
                for ((tool, first), own) in tools.iter().zip(first).zip(own) {
                    running.push(start_map_tool(tool, helper, *first, own)?);
                }
                for child in running {
                    let output = child.wait_with_output()?;
                    if !output.status.success() {
                        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
                    }
                }
                Ok(())
            }
        }
    }
}

/// Where only one id is mapped, the kernel does not let the groups of the person be dropped. They matter for files below the
/// system folders that a group alone may read; nothing else of the host is in the bottle.
pub fn groups_that_stay() -> Option<String> {
    let own = getgid();
    let groups = rustix::process::getgroups().unwrap_or_default();
    let table = fs::read_to_string("/etc/group").unwrap_or_default();
    let name = |id: u32| {
        let line = table.lines().find(|line| line.split(':').nth(2).and_then(|field| field.parse().ok()) == Some(id));
        line.and_then(|line| line.split(':').next()).map_or_else(|| id.to_string(), str::to_owned)
    };
    let names: Vec<String> = groups.iter().filter(|group| **group != own).map(|group| name(group.as_raw())).collect();
    let names = names.join(", ");
    (!names.is_empty())
        .then(|| format!("your groups ({names}) stay with the agent: it can read what they may read in /usr and /opt"))
}

/// A block of ids for a bottle of root's, by its name (FNV-1a).
fn range_for(name: &str) -> u32 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let blocks = u64::from((CONTAINERS.end - CONTAINERS.start) / RANGE);
    CONTAINERS.start + u32::try_from(hash % blocks).unwrap_or(0) * RANGE
}

#[allow(clippy::disallowed_methods, reason = "this module owns newuidmap and newgidmap")]
fn start_map_tool(tool: &Path, helper: Pid, first: u32, own: u32) -> io::Result<std::process::Child> {
    // 0..999 and 1001..65535 are subordinate ids, 1000 is the person.
    let lines = [(0, first, NODE), (NODE, own, 1), (NODE + 1, first + NODE, RANGE - NODE - 1)];
    let mut command = std::process::Command::new(tool);
    command.arg(helper.as_raw_nonzero().to_string());
    command
        .args(lines.into_iter().flat_map(|(inside, outside, count)| [inside, outside, count]).map(|number| number.to_string()));
    command.env_clear().stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
    command.stderr(std::process::Stdio::piped()).spawn()
}

fn subordinate() -> Result<IdPlan, String> {
    let find = |name: &str| {
        let places =
            ["/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin", "/run/wrappers/bin"].map(|folder| Path::new(folder).join(name));
        places.into_iter().find(|place| place.is_file())
    };
    let (Some(uid_tool), Some(gid_tool)) = (find("newuidmap"), find("newgidmap")) else {
        return Err("newuidmap and newgidmap are not installed (`sudo apt install uidmap`)".to_owned());
    };
    let user = getuid().as_raw();
    let name = login_name(user);
    let first = |file: &str| {
        let table = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        range_of(&table, user, name.as_deref()).ok_or_else(|| {
            let who = name.clone().unwrap_or_else(|| user.to_string());
            let (first, last) = free_range();
            format!("{file} gives {who} no {RANGE} ids (`sudo usermod --add-subuids {first}-{last} --add-subgids {first}-{last} {who}`)")
        })
    };
    Ok(IdPlan::Subordinate { tools: [uid_tool, gid_tool], first: [first("/etc/subuid")?, first("/etc/subgid")?] })
}

/// A range that nobody was given yet, for the hint: two persons must never share one.
fn free_range() -> (u32, u32) {
    let tables = ["/etc/subuid", "/etc/subgid"].map(|file| fs::read_to_string(file).unwrap_or_default());
    let end = tables.iter().flat_map(|table| table.lines()).filter_map(end_of).fold(100_000, u32::max);
    (end, end.saturating_add(RANGE - 1))
}

/// Where the range of a line of a subuid table ends.
fn end_of(line: &str) -> Option<u32> {
    let mut fields = line.split(':').skip(1).map(|field| field.trim().parse::<u32>().ok());
    fields.next()??.checked_add(fields.next()??)
}

/// The first range in a subuid table that is large enough, for a user by number or name.
fn range_of(table: &str, user: u32, name: Option<&str>) -> Option<u32> {
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let owner = fields.next()?;
        let mine = name == Some(owner) || owner.parse() == Ok(user);
        let (first, count) = (fields.next()?.trim().parse::<u32>().ok()?, fields.next()?.trim().parse::<u32>().ok()?);
        (mine && count >= RANGE - 1).then_some(first)
    })
}

fn login_name(user: u32) -> Option<String> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd.lines().find(|line| line.split(':').nth(2).and_then(|id| id.parse().ok()) == Some(user))?;
    line.split(':').next().map(str::to_owned)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    let result = fs::OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    result.map_err(|error| io::Error::new(error.kind(), format!("writing {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_found_by_name_or_number() {
        let table = "ann:100000:65536\n1001:300000:65536\nsmall:1:10\nodd\n";
        assert_eq!(range_of(table, 7, Some("ann")), Some(100_000));
        assert_eq!(range_of(table, 1001, Some("bob")), Some(300_000));
        assert_eq!(range_of(table, 8, Some("small")), None);
        assert_eq!(range_of(table, 9, None), None);
    }

    #[test]
    fn the_ids_of_roots_bottles_lie_in_the_containers_range() {
        for name in ["a", "fixer-4k2p9", "zzz"] {
            let first = range_for(name);
            assert!(CONTAINERS.contains(&first) && CONTAINERS.contains(&(first + RANGE - 1)), "{name}: {first}");
        }
        assert_ne!(range_for("a"), range_for("b"));
    }
}
