use std::collections::BTreeMap;

use policy::{HostPattern, LogLevel, Route};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::{EgressLayer, Layer};
use crate::{
    DeclaredRoute, EnvName, EnvSource, Exclude, GitUser, HostKey, Limits, Provider, Repo, RepoKey, RepoName, SshUrl, Template,
    Workspace,
};

fn env() -> impl Strategy<Value = BTreeMap<EnvName, EnvSource>> {
    btree_map("[A-C]".prop_map(|name| EnvName::parse(&name).unwrap()), "[xyz]".prop_map(EnvSource::Literal), 0..3)
}

fn user() -> impl Strategy<Value = GitUser> {
    (option::of("[nm]"), option::of("[ef]")).prop_map(|(name, email)| GitUser { name, email })
}

fn repo() -> impl Strategy<Value = Repo> {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5";
    ("[ab]", "[pq]", option::of(Just(HostKey::parse(key).unwrap()))).prop_map(|(path, file, host_key)| Repo {
        url: SshUrl::parse(&format!("ssh://git@host.example/{path}")).unwrap(),
        key: RepoKey::Static { path: format!("/{file}") },
        host_key,
    })
}

fn repos() -> impl Strategy<Value = BTreeMap<RepoName, Repo>> {
    btree_map("[rs]".prop_map(|name| RepoName::parse(&name).unwrap()), repo(), 0..3)
}

fn route() -> impl Strategy<Value = DeclaredRoute> {
    ("[a-d]", 1usize..3).prop_map(|(host, line)| DeclaredRoute {
        route: Route::to(HostPattern::parse(&format!("{host}.example")).unwrap()),
        file: format!("{host}{line}.md").into(),
        line,
    })
}

fn egress() -> impl Strategy<Value = EgressLayer> {
    let log = prop_oneof![Just(LogLevel::Off), Just(LogLevel::Refusals), Just(LogLevel::Everything)];
    // A file names each host once, and so does whatever files come to.
    (vec(route(), 0..4), option::of(log)).prop_map(|(mut routes, log)| {
        routes.sort_by(|a, b| a.route.host.cmp(&b.route.host));
        routes.dedup_by(|a, b| a.route == b.route);
        EgressLayer { routes, log }
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    (option::of(1u64..4), option::of(1u64..4)).prop_map(|(memory, pids)| Limits { memory, pids, ..Limits::default() })
}

fn workspace() -> impl Strategy<Value = Workspace> {
    (any::<bool>(), "/[wv]", "[xyz]").prop_map(|(copy, path, name)| Workspace {
        copy,
        path,
        exclude: vec![Exclude::parse(&name).unwrap()],
    })
}

fn provider() -> impl Strategy<Value = Provider> {
    prop_oneof![Just(Template::Claude), Just(Template::Codex)].prop_map(|template| Provider { template, ..Provider::default() })
}

fn tools() -> impl Strategy<Value = Vec<String>> {
    proptest::sample::subsequence(vec!["/a".to_owned(), "/b".to_owned(), "/c".to_owned()], 0..=3)
}

fn layer() -> impl Strategy<Value = Layer> {
    let first = (env(), option::of(provider()), user(), option::of(repos()), option::of(egress()));
    let second = (option::of(any::<bool>()), option::of(limits()), option::of(tools()), option::of(workspace()));
    (first, second).prop_map(|((env, provider, user, repos, egress), (supervise, limits, tools, workspace))| Layer {
        env,
        provider,
        user,
        repos,
        egress,
        supervise,
        limits,
        tools,
        workspace,
    })
}

proptest! {
    #[test]
    fn beside_is_associative(a in layer(), b in layer(), c in layer()) {
        prop_assert_eq!(a.clone().beside(b.clone()).beside(c.clone()), a.beside(b.beside(c)));
    }

    #[test]
    fn nothing_is_neutral(a in layer()) {
        prop_assert_eq!(Layer::default().beside(a.clone()), a.clone());
        prop_assert_eq!(a.clone().beside(Layer::default()), a.clone());
        prop_assert_eq!(Layer::default().overlaid(a.clone()), a.clone());
        prop_assert_eq!(a.clone().overlaid(Layer::default()), a);
    }

    /// A diamond: what comes by two ways counts once.
    #[test]
    fn beside_itself_is_itself(a in layer()) {
        prop_assert_eq!(a.clone().beside(a.clone()), a);
    }

    #[test]
    fn overlaying_is_associative(a in layer(), b in layer(), c in layer()) {
        prop_assert_eq!(a.clone().overlaid(b.clone()).overlaid(c.clone()), a.overlaid(b.overlaid(c)));
    }

    #[test]
    fn the_child_has_the_last_word(parent in layer(), child in layer()) {
        let merged = parent.clone().overlaid(child.clone());
        prop_assert!(child.env.iter().all(|(name, source)| merged.env.get(name) == Some(source)));
        prop_assert!(parent.env.keys().all(|name| merged.env.contains_key(name)));
        prop_assert_eq!(merged.egress, child.egress.or(parent.egress));
        prop_assert_eq!(merged.repos, child.repos.or(parent.repos));
        prop_assert_eq!(merged.user.name, child.user.name.or(parent.user.name));
    }

    #[test]
    fn no_route_is_lost_or_doubled(a in layer(), b in layer()) {
        let routes = |layer: &Layer| layer.egress.clone().unwrap_or_default().routes;
        let merged = routes(&a.clone().beside(b.clone()));
        prop_assert!(routes(&a).iter().chain(&routes(&b)).all(|one| merged.iter().filter(|own| own.route == one.route).count() == 1));
        prop_assert!(merged.starts_with(&routes(&a)));
    }
}
