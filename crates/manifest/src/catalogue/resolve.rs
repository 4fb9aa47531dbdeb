use std::collections::BTreeMap;
use std::path::PathBuf;

use policy::Table;

use super::chain::{Chain, listed, unknown_bottle};
use super::load::{self, Loaded};
use super::{AgentEntry, Catalogue, Known, Note, ResolveError, first_steps};
use crate::diagnostic::{nearest, shown_path};
use crate::merge::Layer;
use crate::section::{AgentFile, OwnBottle};
use crate::{Agent, Bottle, Claimed, Diagnostic, GitUser, GitUserClaim, ManifestName, Resolved, Source};

pub(super) fn resolve(catalogue: &Catalogue, agent: &str, bottles: &[String]) -> Result<Resolved, ResolveError> {
    let mut told = Vec::new();
    let known = ManifestName::parse(agent).ok().and_then(|name| catalogue.agents.get(&name));
    let loaded = match known {
        Some(known) => load::agent(known, &mut told),
        None => {
            told.push(unknown_agent(catalogue, agent));
            None
        }
    };
    // Bottles that were asked for are read even if the agent is broken: all problems at once.
    let selected = select(catalogue, known.zip(loaded.as_ref()), bottles, &mut told);
    let layer = merge(catalogue, &selected, &mut told);
    let (Some(known), Some(loaded), Some(layer), true) = (known, loaded, layer, told.is_empty()) else {
        return Err(ResolveError::new(told));
    };
    let bottle = layer.into_bottle();
    check(&bottle).map_err(|diagnostic| ResolveError::new(vec![*diagnostic]))?;
    let agent = agent_of(known, &loaded);
    Ok(Resolved {
        git_user: claim(&agent.git_user, &bottle.git.user),
        notes: notes(catalogue, &agent, &bottle),
        agent,
        bottles: selected,
        bottle,
    })
}

/// The bottles to merge, in order: those that were asked for, otherwise the agent's own.
fn select(
    catalogue: &Catalogue,
    agent: Option<(&Known<AgentEntry>, &Loaded<AgentFile>)>,
    asked: &[String],
    told: &mut Vec<Diagnostic>,
) -> Vec<ManifestName> {
    let mut selected = Vec::new();
    for text in asked {
        match ManifestName::parse(text).ok().filter(|name| catalogue.bottles.contains_key(name)) {
            Some(name) if selected.contains(&name) => told.push(
                Diagnostic::new(format!("the bottle `{name}` is chosen twice"))
                    .help("name it once; the later of two bottles wins"),
            ),
            Some(name) => selected.push(name),
            None => told.push(unknown_bottle(catalogue, text)),
        }
    }
    let Some((known, loaded)) = agent.filter(|_| asked.is_empty()) else { return selected };
    match &loaded.content.bottle {
        OwnBottle::Named(own) if catalogue.bottles.contains_key(&own.name) => selected.push(own.name.clone()),
        OwnBottle::Named(own) => told.push(unknown_bottle(catalogue, own.name.as_str()).at(&loaded.source, own.span.clone())),
        OwnBottle::Broken => {}
        OwnBottle::None => told.push(no_bottle(catalogue, known)),
    }
    selected
}

fn merge(catalogue: &Catalogue, selected: &[ManifestName], told: &mut Vec<Diagnostic>) -> Option<Layer> {
    let mut chain = Chain::new(catalogue, told);
    let layers: Vec<Option<Layer>> = selected.iter().map(|name| chain.layer(name)).collect();
    layers.into_iter().try_fold(Layer::default(), |earlier, next| next.map(|next| earlier.beside(next)))
}

/// What can only be seen in the merged bottle.
fn check(bottle: &Bottle) -> Result<(), Box<Diagnostic>> {
    if let Err(conflict) = Table::new(bottle.egress.rules()) {
        let hint = conflict.hint();
        return Err(Box::new(Diagnostic::new(conflict.to_string()).help(hint)));
    }
    let repos: Vec<_> = bottle.git.repos.iter().collect();
    for (index, (name, repo)) in repos.iter().enumerate() {
        if let Some((other, _)) = repos[..index].iter().find(|(_, other)| other.url.same_upstream(&repo.url)) {
            let message =
                format!("the repositories `{other}` and `{name}` of the merged bottles lead to the same place, {}", repo.url);
            return Err(Box::new(
                Diagnostic::new(message)
                    .help("give both the same name, or keep one: each repository has one way through the gate"),
            ));
        }
    }
    Ok(())
}

fn agent_of(known: &Known<AgentEntry>, loaded: &Loaded<AgentFile>) -> Agent {
    let body = loaded.source.text().get(loaded.body.clone()).unwrap_or_default();
    Agent {
        name: known.entry.name.clone(),
        file: known.entry.file.clone(),
        origin: known.entry.origin,
        bottle: match &loaded.content.bottle {
            OwnBottle::Named(own) => Some(own.name.clone()),
            OwnBottle::None | OwnBottle::Broken => None,
        },
        skills: loaded.content.skills.clone(),
        git_user: loaded.content.git_user.clone(),
        prompt: body.trim().to_owned(),
    }
}

fn claim(agent: &GitUser, bottle: &GitUser) -> GitUserClaim {
    let part = |agent: &Option<String>, bottle: &Option<String>| {
        let of = |source| move |value: &String| Claimed { value: value.clone(), source };
        agent.as_ref().map(of(Source::Agent)).or_else(|| bottle.as_ref().map(of(Source::Bottle)))
    };
    GitUserClaim { name: part(&agent.name, &bottle.name), email: part(&agent.email, &bottle.email) }
}

fn notes(catalogue: &Catalogue, agent: &Agent, bottle: &Bottle) -> Vec<Note> {
    let shadow = |note: &&Note| matches!(note, Note::Shadowed { name, .. } if *name == agent.name);
    let mut notes: Vec<Note> = catalogue.notes.iter().filter(shadow).cloned().collect();
    let mut hosts: BTreeMap<_, Vec<PathBuf>> = BTreeMap::new();
    for declared in &bottle.egress.routes {
        hosts.entry(&declared.route.host).or_default().push(declared.file.clone());
    }
    notes.extend(
        hosts
            .into_iter()
            .filter(|(_, files)| files.len() > 1)
            .map(|(host, files)| Note::HostFromSeveral { host: host.to_string(), files }),
    );
    notes
}

fn unknown_agent(catalogue: &Catalogue, name: &str) -> Diagnostic {
    let names: Vec<&str> = catalogue.agents.keys().map(ManifestName::as_str).collect();
    let help = match (nearest(name, names.iter().copied()), names.is_empty()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, true) => first_steps(&catalogue.home),
        (None, false) => format!("the agents are {}", listed(&names)),
    };
    Diagnostic::new(format!("there is no agent `{}`", policy::Shown(name))).help(help)
}

fn no_bottle(catalogue: &Catalogue, known: &Known<AgentEntry>) -> Diagnostic {
    let names: Vec<&str> = catalogue.bottles.keys().map(ManifestName::as_str).collect();
    let diagnostic = Diagnostic::new(format!("the agent `{}` names no bottle, and none was chosen", known.entry.name))
        .in_file(known.entry.file.clone());
    let diagnostic = diagnostic
        .help(format!("write `bottle: NAME` into {}, or choose one with `--bottle NAME`", shown_path(&known.entry.file)));
    match names.is_empty() {
        true => {
            diagnostic.help(format!("there are no bottles yet; write {}", shown_path(&catalogue.home.join("bottles/NAME.md"))))
        }
        false => diagnostic.help(format!("the bottles are {}", listed(&names))),
    }
}
