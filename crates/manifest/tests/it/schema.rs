use std::time::Duration;

use manifest::{EnvSource, Image, ProviderAuth, RepoKey, Template};
use policy::{Auth, Detectors, OnMatch, OutboundDetector, PathMatch, TlsMode, TokenRef, UserName};

use crate::scene::{Scene, bottle};

#[test]
fn an_empty_bottle_has_the_documented_defaults() {
    for yaml in ["", "# nothing", "env:\negress:\nlimits:\ntools:\nworkspace:\ngit-gate:\nagent_provider:\nextends:"] {
        let bottle = bottle(yaml);
        assert_eq!(bottle, manifest::Bottle::default(), "{yaml}");
        assert!(bottle.supervise);
        assert_eq!(
            (bottle.provider.template, bottle.workspace.path.as_str(), bottle.workspace.copy),
            (Template::Claude, "/home/node/workspace", false)
        );
    }
}

#[test]
fn env_values_are_what_is_written() {
    let env = bottle("env:\n  A: 8080\n  B: 1.10\n  C: no\n  D: true\n  E: ''\n  F: '?'\n  G: '?say it'\n  H: ${HOST}\n  I: $${x}\n  NO: 0x10\n  J: |\n    two\n    lines").env;
    let literal = |text: &str| EnvSource::Literal(text.to_owned());
    let values: Vec<_> = env.into_iter().map(|(name, source)| (name.to_string(), source)).collect();
    let expected = [
        ("A", literal("8080")),
        ("B", literal("1.10")),
        ("C", literal("no")),
        ("D", literal("true")),
        ("E", literal("")),
        ("F", EnvSource::Ask { message: None }),
        ("G", EnvSource::Ask { message: Some("say it".into()) }),
        ("H", EnvSource::Host { var: manifest::EnvName::parse("HOST").unwrap() }),
        ("I", literal("${x}")),
        ("J", literal("two\nlines\n")),
        ("NO", literal("0x10")),
    ];
    assert_eq!(values, expected.map(|(name, source)| (name.to_owned(), source)));
}

#[test]
fn providers() {
    let provider = bottle("agent_provider: {template: command, command: [sh, -c, 'echo $HOME; exit'], image: ~/rootfs}").provider;
    assert_eq!(provider.command, ["sh", "-c", "echo $HOME; exit"]);
    assert_eq!(provider.image, Some(Image::Path("~/rootfs".into())));
    let provider = bottle("agent_provider: {template: codex, forward_host_credentials: true, image: node:22}").provider;
    assert_eq!(provider.auth, Some(ProviderAuth::HostLogin));
    assert_eq!((provider.template, provider.image), (Template::Codex, Some(Image::Engine("node:22".into()))));
}

#[test]
fn what_pays_for_the_model() {
    let auth = |yaml: &str| bottle(&format!("agent_provider: {{{yaml}}}")).provider.auth;
    let variable = |name: &str| TokenRef::Variable(name.into());
    let command = |words: &[&str]| TokenRef::Command(words.iter().map(|word| (*word).to_owned()).collect());
    assert_eq!(auth("auth_token: CLAUDE"), Some(ProviderAuth::LongLivedToken(variable("CLAUDE"))));
    assert_eq!(auth("api_key: KEY, forward_host_credentials: false"), Some(ProviderAuth::ApiKey(variable("KEY"))));
    assert_eq!(auth("template: codex, api_key: {file: ~/key}"), Some(ProviderAuth::ApiKey(TokenRef::File("~/key".into()))));
    assert_eq!(
        auth("auth_token: {command: [op, read, 'op://dev/x y']}"),
        Some(ProviderAuth::LongLivedToken(command(&["op", "read", "op://dev/x y"])))
    );
    assert_eq!(auth("api_key: {command: [~/bin/key]}"), Some(ProviderAuth::ApiKey(command(&["~/bin/key"]))));
    assert_eq!(auth("forward_host_credentials: true"), Some(ProviderAuth::HostLogin));
    assert_eq!(auth("forward_host_credentials: false"), None);
}

#[test]
fn ports_and_where_to_dial() {
    let routes = bottle(
        "egress:\n  routes:\n    - {host: a.example, ports: [8443, 1, 65535], dial: '127.0.0.1:9443'}\n    - {host: b.example, dial: '[fd00::1]:443', auth: {scheme: token, token_ref: {file: /run/token}}}",
    )
    .egress
    .routes;
    let dial = |index: usize| routes[index].route.dial.map(|dial| dial.to_string());
    assert_eq!((routes[0].route.ports.as_slice(), dial(0).as_deref()), (&[8443, 1, 65535][..], Some("127.0.0.1:9443")));
    assert_eq!((routes[1].route.ports.as_slice(), dial(1).as_deref()), (&[][..], Some("[fd00::1]:443")));
    assert_eq!(routes[1].route.auth.as_ref().map(Auth::token_ref), Some(&TokenRef::File("/run/token".into())));
}

#[test]
fn basic_has_a_user() {
    let auth = bottle("egress: {routes: [{host: a.example, auth: {scheme: basic, user: x-access-token, token_ref: T}}]}").egress;
    let expected = Auth::Basic { user: UserName::parse("x-access-token").unwrap(), token_ref: TokenRef::parse("T").unwrap() };
    assert_eq!(auth.routes[0].route.auth, Some(expected));
}

#[test]
fn limits_in_every_spelling() {
    let limits = bottle("limits: {memory: 2GiB, disk: 1048576, cpus: 2, pids: 512, time: 1h30m}").limits;
    assert_eq!((limits.memory, limits.disk, limits.cpus, limits.pids), (Some(2 << 30), Some(1 << 20), Some(2.0), Some(512)));
    assert_eq!(limits.time, Some(Duration::from_secs(5400)));
    assert_eq!(bottle("limits: {memory: '512M', cpus: 0.5}").limits.cpus, Some(0.5));
}

#[test]
fn limits_that_no_kernel_takes_are_told_where_they_stand() {
    for (limit, most) in [
        ("memory: 4097T", "4096T"),
        ("memory: 99999999999T", "4096T"),
        ("disk: 18446744073709551615", "4096T"),
        ("pids: 1000000000000", "4194304"),
        ("pids: 99999999999999999999999", "4194304"),
        ("cpus: 4097", "4096"),
        ("time: 3651d", "3650d"),
        ("time: 99999999999999999999d", "3650d"),
    ] {
        let scene = Scene::new().bottle("dev", &format!("limits:\n  {limit}")).agent("a", "bottle: dev");
        let told = scene.try_resolve("a", &[]).unwrap_err().render(manifest::Style::Plain);
        let column = "  ".len() + limit.find(' ').unwrap() + 2;
        assert!(told.contains(&format!("bottles/dev.md:3:{column}")), "{limit}: {told}");
        assert!(told.contains(&format!("to {most}")) || told.contains(&format!("at most {most}")), "{limit}: {told}");
    }
    let largest = bottle("limits: {memory: 4096T, disk: 4096T, pids: 4194304, cpus: 4096, time: 3650d}").limits;
    assert_eq!((largest.pids, largest.memory), (Some(1 << 22), Some(1 << 52)));
}

#[test]
fn routes_with_everything() {
    let egress = bottle(
        r#"egress:
  log: 2
  routes:
    - host: API.example.org
      matches:
        - paths:
            - {type: exact, value: /status}
            - {type: prefix, value: /v1/}
            - {type: regex, value: "/items/[0-9]+"}
          methods: [get, POST]
          headers: [{name: X-Version, value: ["1", "2"]}]
        - methods: [HEAD]
      auth: {header: X-Api-Key, token_ref: API_KEY}
      addresses: [10.1.0.0/16, 192.168.7.9]
      dlp: {outbound_detectors: [known_secrets], inbound_detectors: false, outbound_on_match: block}
    - host: "*.cdn.example.org"
      tls: passthrough"#,
    )
    .egress;
    let route = &egress.routes[0].route;
    assert_eq!(route.host.to_string(), "api.example.org");
    assert!(matches!(&route.matches[0].paths[..], [PathMatch::Exact(_), PathMatch::Prefix(_), PathMatch::Regex(_)]));
    assert_eq!(route.matches[0].methods.iter().map(policy::Method::as_str).collect::<Vec<_>>(), ["GET", "POST"]);
    assert_eq!(route.matches[0].headers[0].values.len(), 2);
    assert!(
        matches!(&route.auth, Some(Auth::Header { header, token_ref }) if header.as_str() == "x-api-key" && *token_ref == policy::TokenRef::Variable("API_KEY".into()))
    );
    assert_eq!(route.addresses.len(), 2);
    let dlp = route.dlp.as_ref().unwrap();
    assert_eq!(
        (&dlp.outbound, &dlp.inbound, dlp.on_match),
        (&Detectors::Only(vec![OutboundDetector::KnownSecrets]), &Detectors::Off, OnMatch::Block)
    );
    assert_eq!((egress.routes[1].route.tls, egress.routes[1].line), (TlsMode::Passthrough, 17));
}

#[test]
fn repositories() {
    let repos = bottle("git-gate:\n  repos:\n    a: {url: 'ssh://git@h.example/a.git', key: {provider: static, path: ~/.ssh/k}}\n    b: {url: 'ssh://git@h.example:22/b', key: {provider: gitea, token_env: FORGE}}").git.repos;
    let keys: Vec<_> = repos.values().map(|repo| repo.key.clone()).collect();
    assert_eq!(
        keys,
        [RepoKey::Static { path: "~/.ssh/k".into() }, RepoKey::Gitea { token_env: manifest::EnvName::parse("FORGE").unwrap() }]
    );
}

#[test]
fn a_workspace() {
    let workspace = bottle("workspace: {copy: true, path: /srv/app/, exclude: [node_modules/, ./target/debug]}").workspace;
    assert!(workspace.copy);
    assert_eq!(workspace.path, "/srv/app");
    assert_eq!(workspace.exclude.iter().map(manifest::Exclude::as_str).collect::<Vec<_>>(), ["node_modules", "target/debug"]);
}

#[test]
fn the_prompt_is_the_body_without_its_margins() {
    let scene = Scene::new()
        .bottle("b", "")
        .file("home/agents/a.md", "---\nbottle: b\n---\n\n# You\n\n---\nare: not YAML\n\n")
        .file("home/agents/empty.md", "---\nbottle: b\n---");
    assert_eq!(scene.resolve("a").agent.prompt, "# You\n\n---\nare: not YAML");
    assert_eq!(scene.resolve("empty").agent.prompt, "");
}
