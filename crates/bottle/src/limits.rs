use std::time::Duration;

/// What a bottle may use at most. `None` is no limit. A backend that cannot enforce a limit that is set refuses the launch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// Memory of everything in the bottle, in bytes.
    pub memory: Option<u64>,
    /// Processor time in cores: 1.5 is one and a half cores.
    pub cpus: Option<f64>,
    /// Processes and threads in the bottle.
    pub pids: Option<u64>,
    /// What may be written to the bottle's private layer, in bytes.
    pub disk: Option<u64>,
    /// How long the bottle may live. Enforced by the session, on every backend.
    pub time: Option<Duration>,
}

/// A limit that a bottle has run into: what a program that dies or fails for it cannot say itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitHit {
    /// The kernel killed processes because the memory was used up.
    Memory {
        /// How many.
        killed: u64,
    },
    /// New processes were refused because there were enough.
    Pids {
        /// How many times.
        refused: u64,
    },
}

impl std::fmt::Display for LimitHit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Memory { killed } => {
                write!(f, "limits.memory was reached: the kernel killed {killed} process(es) in the bottle")
            }
            Self::Pids { refused } => write!(f, "limits.pids was reached: {refused} new process(es) were refused in the bottle"),
        }
    }
}
