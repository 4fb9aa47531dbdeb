use std::fs;
use std::path::{Path, PathBuf};

use bottle::LimitHit;

/// Limits that the processes of some cgroups have run into: `memory.events` and `pids.events` of version 2, `memory.oom_control` and
/// `pids.events` of version 1 (kernel: `admin-guide/cgroup-v2`, `admin-guide/cgroup-v1`). What is not there counts as nothing.
pub fn limits_hit(cgroups: &[PathBuf]) -> Vec<LimitHit> {
    let killed = count(cgroups, &["memory.events", "memory.oom_control"], "oom_kill ");
    let refused = count(cgroups, &["pids.events"], "max ");
    let memory = (killed > 0).then_some(LimitHit::Memory { killed });
    let pids = (refused > 0).then_some(LimitHit::Pids { refused });
    memory.into_iter().chain(pids).collect()
}

fn count(folders: &[PathBuf], files: &[&str], key: &str) -> u64 {
    let paths = folders.iter().flat_map(|folder| files.iter().map(move |file| folder.join(file)));
    let texts = paths.filter_map(|path| fs::read_to_string(path).ok());
    texts.map(|text| text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse::<u64>().ok()).unwrap_or(0)).sum()
}

/// The cgroups of a process of this machine, by its id, that hold it to limits of memory and processes (`cgroups(7)`).
pub fn cgroups_of(process: i64) -> Vec<PathBuf> {
    let text = fs::read_to_string(format!("/proc/{process}/cgroup")).unwrap_or_default();
    text.lines().filter_map(folder).collect()
}

/// `0::PATH` of version 2, `NUMBER:CONTROLLERS:PATH` of version 1.
fn folder(line: &str) -> Option<PathBuf> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (controllers, path) = (parts.next()?, parts.next()?.trim_start_matches('/'));
    let root = Path::new("/sys/fs/cgroup");
    if controllers.is_empty() {
        return Some(root.join(path));
    }
    let controller = controllers.split(',').find(|controller| ["memory", "pids"].contains(controller))?;
    Some(root.join(controller).join(path))
}

#[cfg(test)]
mod tests {
    use super::{folder, limits_hit};
    use bottle::LimitHit;

    #[test]
    fn both_versions_are_understood() {
        let at = |line| folder(line).map(|folder| folder.to_string_lossy().into_owned());
        assert_eq!(at("0::/system.slice/docker-1.scope").as_deref(), Some("/sys/fs/cgroup/system.slice/docker-1.scope"));
        assert_eq!(at("9:memory:/docker/1").as_deref(), Some("/sys/fs/cgroup/memory/docker/1"));
        assert_eq!(at("4:cpu,cpuacct:/docker/1"), None);
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [("memory.events", "low 0\noom 3\noom_kill 2\n"), ("pids.events", "max 7\n")] {
            #[allow(clippy::disallowed_methods, reason = "a test's own file")]
            std::fs::write(folder.path().join(file), text).unwrap();
        }
        let folders = [folder.path().to_owned(), "/not/there".into()];
        assert_eq!(limits_hit(&folders), [LimitHit::Memory { killed: 2 }, LimitHit::Pids { refused: 7 }]);
    }
}
