use crate::scene::{SHELL, Scene};

/// Two bottles: one reads an API and pays with a credential, one opens hosts of its own.
fn scene() -> Scene {
    Scene::bare()
        .bottle(
            "work",
            &format!(
                "{SHELL}egress:\n  routes:\n    - host: api.example.org\n      matches:\n        - {{methods: [GET, HEAD], paths: [{{type: prefix, value: /v1}}]}}\n        \
                 - {{methods: [POST], paths: [{{type: exact, value: /v1/items}}], headers: [{{name: X-Version, value: \"2\"}}]}}\n      \
                 auth: {{scheme: Bearer, token_ref: {{file: ~/canary-folder/token}}}}\n    \
                 - {{host: \"*.example.org\", tls: passthrough}}\n    \
                 - {{host: local.example.com, ports: [8443], dial: \"127.0.0.1:9443\", auth: {{header: x-api-key, token_ref: T}}}}\n"
            ),
        )
        .bottle("more", "egress: {routes: [{host: forge.example}]}\n")
        .bottle("model", "agent_provider: {template: claude, auth_token: MY_TOKEN}\negress: {routes: [{host: api.anthropic.com, ports: [443]}]}\n")
        .bottle("free", "agent_provider: {template: claude}\n")
        .bottle("codex", "agent_provider: {template: codex, forward_host_credentials: true}\n")
        .bottle(
            "inside",
            "egress:\n  routes:\n    - {host: 10.1.2.3}\n    - {host: 10.1.2.4, addresses: [10.1.2.0/24]}\n    - {host: 0.0.0.0, tls: passthrough}\n    \
             - {host: 169.254.169.254, dial: \"127.0.0.1:9443\"}\n",
        )
        .bottle("clash", "egress: {routes: [{host: api.anthropic.com, tls: passthrough}]}\n")
        .agent("a", "bottle: work\n", "")
}

fn explained(args: &[&str]) -> String {
    let scene = scene();
    let ran = scene.run(&[&["policy", "explain", "a"], args].concat());
    assert!(!ran.stdout.contains("canary=") && !ran.stderr.contains("canary="), "{ran:?}");
    scene.stable(&format!("$ {}\n{}{}exit {}\n\n", args.join(" "), ran.stdout, ran.stderr, ran.code))
}

#[test]
fn explains_what_would_become_of_a_request_and_by_which_rule() {
    let all: String = [
        &["https://api.example.org/v1/items?canary=1"][..],
        &["https://api.example.org/v1/items", "-X", "POST", "-H", "X-Version: 2"],
        &["https://api.example.org/v1/items", "--method", "POST"],
        &["https://api.example.org/v1/items", "--method", "get"],
        &["https://api.example.org/v1/%2e%2e/admin"],
        &["http://api.example.org/v1"],
        &["https://api.example.org:8443/v1"],
        &["https://cdn.example.org/anything", "-X", "DELETE"],
        &["https://local.example.com:8443/"],
        &["https://evil.example/"],
        &["https://example.org/"],
        &["https://forge.example/x", "--bottle", "work", "--bottle", "more"],
        &["https://forge.example/me/r.git/info/refs?service=git-receive-pack", "--bottle", "more"],
        &["https://api.anthropic.com/v1/messages", "-X", "POST", "--bottle", "model"],
        &["https://api.anthropic.com/v1/messages", "-X", "POST", "--bottle", "free"],
        &["https://api.example.org/v1/items", "-X", "TRACE"],
        &["https://chatgpt.com/backend-api/codex/responses", "-X", "POST", "--bottle", "codex"],
        &["https://chatgpt.com/backend-api/conversations", "--bottle", "codex"],
        &["https://api.anthropic.com/", "--bottle", "clash"],
    ]
    .map(explained)
    .concat();
    insta::assert_snapshot!(all);
}

#[test]
fn explains_an_address_as_a_session_would_reach_it() {
    let all: String =
        ["https://10.1.2.3/", "https://10.1.2.4/", "https://0.0.0.0/", "https://169.254.169.254/", "https://10.1.2.5/"]
            .map(|url| explained(&[url, "--bottle", "inside"]))
            .concat();
    insta::assert_snapshot!(all);
}

#[test]
fn urls_and_headers_that_could_mislead_are_refused() {
    let all: String = [
        &["https://api.example.org@evil.example/"][..],
        &["https://api.example.org/#x"],
        &["api.example.org"],
        &["https://2130706433/"],
        &["https://git.bottle.internal/"],
        &["https://api.example.org/", "-H", "canary"],
        &["https://api.example.org/", "-H", "X-A: canary\u{e9}"],
        &["https://api.example.org/", "-X", "G T"],
    ]
    .map(explained)
    .concat();
    insta::assert_snapshot!(all);
}

#[test]
fn explains_as_json() {
    let scene = scene();
    let ran = scene.run(&["policy", "explain", "a", "https://local.example.com:8443/x", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&json["verdict"], &json["dial"]), (&"allow".into(), &"127.0.0.1:9443".into()));
    assert_eq!(json["credential"], serde_json::json!({"header": "x-api-key", "from": "variable T"}));
    let ran = scene.run(&["policy", "explain", "a", "https://evil.example/", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &json["verdict"], &json["code"]), (1, &"refuse".into(), &"egress.host".into()));
}

#[test]
fn a_file_of_expectations_is_kept_or_tells_what_is_not_so() {
    let cases = "agent: a\ncases:\n  - {url: https://api.example.org/v1, expect: allow}\n  - {url: https://evil.example/, expect: refuse, code: egress.host}\n";
    let scene = scene().file("project/good.yaml", cases).file(
        "project/bad.yaml",
        &format!("{cases}  - {{url: https://evil.example/, expect: allow}}\n  - {{url: https://api.example.org/v1, expect: refuse}}\n  - {{url: https://api.example.org/, method: PUT, expect: refuse, code: egress.host}}\n"),
    ).file("project/broken.yaml", "agent: a\ncases:\n  - {url: https://a@b/, expect: allow}\n").file("project/nobody.yaml", &cases.replace("agent: a", "agent: nobody"));
    let all: String = ["good.yaml", "bad.yaml", "broken.yaml", "nobody.yaml", "none.yaml"]
        .map(|file| {
            let ran = scene.run(&["policy", "test", file]);
            scene.stable(&format!("$ {file}\n{}{}exit {}\n\n", ran.stdout, ran.stderr, ran.code))
        })
        .concat();
    insta::assert_snapshot!(all);
}

/// Neither command may touch what it names: no credential is read, nothing is made.
#[test]
fn judging_touches_nothing() {
    let scene = scene().file("project/p.yaml", "agent: a\ncases: [{url: https://api.example.org/v1, expect: allow}]\n");
    assert_eq!(scene.run(&["policy", "explain", "a", "https://api.example.org/v1"]).code, 0);
    assert_eq!(scene.run(&["policy", "test", "p.yaml"]).code, 0);
    let left: Vec<_> =
        std::fs::read_dir(scene.path("home/.bot-bottle")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

/// The guide's own examples, as they stand there.
#[test]
fn the_guide_is_true() {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/policy.md")).unwrap();
    let block = |start: &str| guide.split("```yaml\n").find(|text| text.starts_with(start)).unwrap().split("```").next().unwrap();
    let scene = Scene::bare()
        .bottle("work", &format!("{SHELL}{}", block("egress:")))
        .agent("fixer", "bottle: work\n", "")
        .file("project/policy.yaml", block("# policy.yaml"));
    let ran = scene.run(&["policy", "test", "policy.yaml"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "3 cases as expected\n"), "{ran:?}");
    assert!(guide.contains(&format!("$ bot-bottle policy test policy.yaml\n{}", ran.stdout)));
}
