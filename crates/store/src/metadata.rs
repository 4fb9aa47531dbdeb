use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The shape of `metadata.json` that this program writes.
pub const CURRENT_VERSION: u32 = 1;

/// What is known of a session to whoever looks at its state folder. No secret is ever part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// Shape of the file: [`CURRENT_VERSION`].
    pub version: u32,
    /// The session's name.
    pub identity: String,
    /// The agent it runs.
    pub agent: String,
    /// The bottles its policy was merged from, in order.
    pub bottles: Vec<String>,
    /// The backend's name.
    pub backend: String,
    /// When it was started, in UTC.
    pub started_at: Timestamp,
    /// The host folder that was copied in, when one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<PathBuf>,
    /// The label given by the person, when one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The process that owns the session.
    pub process: ProcessStamp,
}

/// One process, told apart from a later one with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessStamp {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks since boot: field 22 of `/proc/PID/stat` (`proc_pid_stat(5)`); 0 when unknown.
    pub started: u64,
}

impl ProcessStamp {
    /// This process.
    pub fn current() -> Self {
        let started = std::fs::read_to_string("/proc/self/stat").ok().and_then(|stat| start_time(&stat)).unwrap_or(0);
        Self { pid: std::process::id(), started }
    }
}

/// The name in field 2 may hold spaces and brackets, so counting begins behind its last bracket.
fn start_time(stat: &str) -> Option<u64> {
    stat.rsplit_once(") ")?.1.split(' ').nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{ProcessStamp, start_time};

    #[test]
    fn start_time_is_found_behind_a_hostile_name() {
        let stat = "7 (a) b) c) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 1 1";
        assert_eq!(start_time(stat), Some(12345));
        assert_eq!(start_time("7 (x"), None);
        assert!(ProcessStamp::current().started > 0);
    }
}
