use std::collections::BTreeMap;

use crate::{Egress, EnvName, EnvSource, Git, Limits, Provider, Workspace};

/// A bottle as it will be launched: all parents and selected bottles merged, every default filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Bottle {
    /// The agent's environment.
    pub env: BTreeMap<EnvName, EnvSource>,
    /// What kind of agent runs.
    pub provider: Provider,
    /// Identity and repositories behind the git gate.
    pub git: Git,
    /// The way out.
    pub egress: Egress,
    /// Whether the agent may ask a person for more.
    pub supervise: bool,
    /// What it may use.
    pub limits: Limits,
    /// Host folders and files that are visible, read-only, as written: absolute, or below `~/`; no `..`.
    pub tools: Vec<String>,
    /// The working folder.
    pub workspace: Workspace,
}

impl Default for Bottle {
    fn default() -> Self {
        Self {
            env: BTreeMap::new(),
            provider: Provider::default(),
            git: Git::default(),
            egress: Egress::default(),
            supervise: true,
            limits: Limits::default(),
            tools: Vec::new(),
            workspace: Workspace::default(),
        }
    }
}
