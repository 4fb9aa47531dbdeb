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
