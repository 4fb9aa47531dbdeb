//! Landlock (`landlock(7)`), where the kernel has it: a third wall behind namespaces and the system call filter.
//!
//! The bottle's own mounts already hold nothing of the host. The ruleset takes what even they would allow: making device
//! nodes, and, because any ruleset does, changing mounts and tracing processes outside of it.

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus,
};

use helper::step::StepError;

/// The newest interface whose rights are named here. Newer kernels enforce these, older ones what they know of them.
const KNOWN: ABI = ABI::V5;

/// Whether it is used. Without the right to move files between folders (interface 1, Linux 5.13 to 5.18) any ruleset forbids that,
/// and with it most build tools: then none is better.
pub fn is_used() -> bool {
    Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(AccessFs::Refer).is_ok()
}

/// Restricts this process and all it starts, where it is used.
pub fn restrict() -> Result<(), StepError> {
    if !is_used() {
        return Ok(());
    }
    let failed = |error: landlock::RulesetError| StepError {
        step: "installing Landlock rules".into(),
        errno: 0,
        reason: error.to_string(),
    };
    let devices = AccessFs::MakeChar | AccessFs::MakeBlock;
    let root = match PathFd::new("/") {
        Ok(root) => root,
        Err(error) => return Err(StepError { step: "opening / for Landlock".into(), errno: 0, reason: error.to_string() }),
    };
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))
        .and_then(Ruleset::create)
        .and_then(|ruleset| ruleset.add_rule(PathBeneath::new(root, AccessFs::from_all(KNOWN) & !devices)))
        .and_then(|ruleset| ruleset.no_new_privs(true).restrict_self())
        .map_err(failed)?;
    match status.ruleset {
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
        RulesetStatus::NotEnforced => {
            let reason = "the kernel has it, and does not enforce it".to_owned();
            Err(StepError { step: "installing Landlock rules".into(), errno: 0, reason })
        }
    }
}
