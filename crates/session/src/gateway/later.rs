use std::collections::BTreeSet;

use manifest::Resolved;

/// What manifests say otherwise `now` than when a session `began`, and what cannot take effect in it any more, as their keys: a
/// bottle is made once. Routes are not among it: they are read anew. Names, never values.
pub(super) fn later(began: &Resolved, now: &Resolved) -> Vec<String> {
    let (old, new) = (&began.bottle, &now.bottle);
    let changed = [
        ("bottle", began.bottles != now.bottles),
        ("prompt", began.agent.prompt != now.agent.prompt),
        ("skills", began.agent.skills != now.agent.skills),
        ("agent_provider", old.provider != new.provider),
        ("git.user", began.git_user != now.git_user),
        ("git.repos", old.git.repos != new.git.repos),
        ("egress.log", old.egress.log != new.egress.log),
        ("supervise", old.supervise != new.supervise),
        ("limits.memory", old.limits.memory != new.limits.memory),
        ("limits.cpus", old.limits.cpus != new.limits.cpus),
        ("limits.pids", old.limits.pids != new.limits.pids),
        ("limits.disk", old.limits.disk != new.limits.disk),
        ("limits.time", old.limits.time != new.limits.time),
        ("tools", old.tools != new.tools),
        ("workspace", old.workspace != new.workspace),
    ];
    let names: BTreeSet<_> = old.env.keys().chain(new.env.keys()).collect();
    let env = names.into_iter().filter(|name| old.env.get(*name) != new.env.get(*name)).map(|name| format!("env.{name}"));
    env.chain(changed.into_iter().filter(|(_, is_changed)| *is_changed).map(|(key, _)| key.to_owned())).collect()
}
