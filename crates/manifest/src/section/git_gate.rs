use std::collections::BTreeMap;

use super::{git_user, repo};
use crate::read::{GoneKey, KeyDoc, Reader, Section};
use crate::yaml::Node;
use crate::{GitUser, Repo, RepoName};

pub(crate) const SECTION: Section = Section {
    path: "git-gate",
    what: "`git-gate`",
    about: "Commits leave through the git gate alone, which scans them and holds the key.",
    keys: &[
        KeyDoc {
            name: "user",
            kind: "map",
            default: "none",
            about: "The identity of commits.",
            example: "{name: Work Bot, email: bot@example.org}",
        },
        KeyDoc {
            name: "repos",
            kind: "map of names to repositories",
            default: "`{}`",
            about: "Repositories that can be fetched and pushed. Names are letters, digits, `.`, `_` and `-`.",
            example: "{service: {url: …, key: …}}",
        },
    ],
    gone: &[GoneKey {
        name: "remotes",
        why: "was replaced by `repos`",
        instead: "write `repos: {NAME: {url: ssh://…, key: {provider: static, path: …}, host_key: …}}`",
    }],
};

/// What `git-gate` says; `None` where it says nothing about repositories.
#[derive(Debug, Default)]
pub(crate) struct GitGate {
    pub user: GitUser,
    pub repos: Option<BTreeMap<RepoName, Repo>>,
}

pub(crate) fn read(reader: Reader<'_>, node: &Node) -> GitGate {
    let Some(fields) = reader.map(node, &SECTION) else { return GitGate::default() };
    GitGate {
        user: fields.get("user").map(|node| git_user::read(reader, node)).unwrap_or_default(),
        repos: fields.get("repos").and_then(|node| repos(reader, node)),
    }
}

fn repos(reader: Reader<'_>, node: &Node) -> Option<BTreeMap<RepoName, Repo>> {
    let mut repos: BTreeMap<RepoName, Repo> = BTreeMap::new();
    for (key, value) in
        reader.free_map(node, "`git-gate.repos`", "service: {url: ssh://git@git.example.org/team/service.git, key: …}")?.entries()
    {
        let name = RepoName::parse(&key.name).map_err(|error| reader.report(reader.error(&key.span, error.to_string()))).ok();
        let (Some(name), Some(repo)) = (name, repo::read(reader, value)) else { continue };
        // Threat: two ways to one upstream, of which one has a weaker rule.
        if let Some((other, _)) = repos.iter().find(|(_, other)| other.url.same_upstream(&repo.url)) {
            let message = format!("`{name}` leads to the same repository as `{other}`");
            reader.report(reader.error(&key.span, message).help("keep one: each repository has one way through the gate"));
        }
        repos.insert(name, repo);
    }
    Some(repos)
}
