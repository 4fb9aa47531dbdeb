use crate::scene::Scene;

fn env(scene: &Scene, bottles: &[&str]) -> String {
    let bottle = scene.resolve_in("a", bottles).bottle;
    bottle
        .env
        .iter()
        .map(|(name, source)| format!("{name}={source:?} "))
        .collect::<String>()
        .replace("Literal(\"", "")
        .replace("\")", "")
}

fn hosts(scene: &Scene, bottles: &[&str]) -> Vec<String> {
    scene.resolve_in("a", bottles).bottle.egress.routes.iter().map(|declared| declared.route.host.to_string()).collect()
}

#[test]
fn a_child_goes_over_its_parent() {
    let scene = Scene::new()
        .agent("a", "")
        .bottle("base", "env: {A: base, B: base}\nsupervise: false\negress: {routes: [{host: base.example}], log: 2}\ntools: [/opt/base]\nlimits: {pids: 100, memory: 1G}")
        .bottle("child", "extends: base\nenv: {B: child}\negress: {routes: [{host: child.example}]}")
        .bottle("clears", "extends: base\negress:\ntools: []\nlimits: {}")
        .bottle("inherits", "extends: [base]");
    assert_eq!(env(&scene, &["child"]), "A=base B=child ");
    assert_eq!(hosts(&scene, &["child"]), ["child.example"]);
    let child = scene.resolve_in("a", &["child"]).bottle;
    assert_eq!(child.egress.log, manifest_log(0));
    assert!(!child.supervise);
    assert_eq!(child.tools, ["/opt/base"]);
    let clears = scene.resolve_in("a", &["clears"]).bottle;
    assert!(clears.egress.routes.is_empty() && clears.tools.is_empty() && clears.limits == manifest::Limits::default());
    assert_eq!(scene.resolve_in("a", &["inherits"]).bottle, scene.resolve_in("a", &["base"]).bottle);
}

fn manifest_log(level: i64) -> policy::LogLevel {
    policy::LogLevel::try_from(level).unwrap()
}

#[test]
fn parents_stand_beside_each_other_and_the_later_wins() {
    let scene = Scene::new()
        .agent("a", "")
        .bottle("one", "env: {A: one, B: one}\negress: {routes: [{host: one.example}], log: 1}\nlimits: {pids: 100}\ntools: [/opt/x, /opt/one]")
        .bottle("two", "env: {B: two}\negress: {routes: [{host: two.example}]}\nlimits: {memory: 1G}\ntools: [/opt/x, /opt/two]\nagent_provider: {template: codex}")
        .bottle("child", "extends: [one, two]\nenv: {C: child}");
    assert_eq!(env(&scene, &["child"]), "A=one B=two C=child ");
    assert_eq!(hosts(&scene, &["child"]), ["one.example", "two.example"]);
    let child = scene.resolve_in("a", &["child"]).bottle;
    assert_eq!((child.limits.pids, child.limits.memory), (Some(100), Some(1 << 30)));
    assert_eq!(child.tools, ["/opt/x", "/opt/one", "/opt/two"]);
    assert_eq!(child.egress.log, manifest_log(1));
    // The same two, chosen at launch.
    let mut chosen = scene.resolve_in("a", &["one", "two"]).bottle;
    chosen.env = child.env.clone();
    assert_eq!(chosen, child);
    assert_eq!(hosts(&scene, &["two", "one"]), ["two.example", "one.example"]);
}

#[test]
fn repositories_join_by_name_and_field() {
    let key = "host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5";
    let repo =
        |path: &str, rest: &str| format!("{{url: ssh://git@git.example/{path}, key: {{provider: static, path: /k}}{rest}}}");
    let scene = Scene::new()
        .agent("a", "")
        .bottle("one", &format!("git-gate: {{repos: {{r: {}, s: {}}}}}", repo("old", &format!(", {key}")), repo("s", "")))
        .bottle("two", &format!("git-gate: {{repos: {{r: {}}}}}", repo("new", "")))
        .bottle("same", &format!("git-gate: {{repos: {{t: {}}}}}", repo("s.git", "")));
    let repos = scene.resolve_in("a", &["one", "two"]).bottle.git.repos;
    let r = repos.values().next().unwrap();
    assert_eq!((repos.len(), r.url.path(), r.host_key.is_some()), (2, "/new", true));
    insta::assert_snapshot!(scene.problems_in("a", &["one", "same"]), @r"
    error: the repositories `s` and `t` of the merged bottles lead to the same place, ssh://git@git.example/s.git
     |
     = help: give both the same name, or keep one: each repository has one way through the gate
    ");
}

#[test]
fn a_diamond_counts_once() {
    let scene = Scene::new()
        .agent("a", "")
        .bottle("top", "egress: {routes: [{host: top.example}]}")
        .bottle("left", "extends: top")
        .bottle("right", "extends: top\nenv: {R: right}")
        .bottle("bottom", "extends: [left, right]");
    assert_eq!(hosts(&scene, &["bottom"]), ["top.example"]);
    assert_eq!(hosts(&scene, &["bottom", "top"]), ["top.example"]);
    assert_eq!(env(&scene, &["bottom"]), "R=right ");
}

#[test]
fn two_bottles_with_one_host_are_noted() {
    let scene = Scene::new()
        .agent("a", "")
        .bottle("one", "egress: {routes: [{host: x.example, matches: [{methods: [GET]}]}]}")
        .bottle("two", "egress: {routes: [{host: x.example, matches: [{methods: [POST]}]}]}");
    assert_eq!(hosts(&scene, &["one", "two"]), ["x.example", "x.example"]);
    let notes = scene.resolve_in("a", &["one", "two"]).notes;
    assert!(notes[0].to_string().contains("several bottles have routes to x.example"), "{notes:?}");
}

#[test]
fn circles_and_unknown_parents() {
    let scene = Scene::new()
        .agent("a", "")
        .bottle("self", "extends: self")
        .bottle("one", "extends: two")
        .bottle("two", "extends: [three, base]")
        .bottle("three", "env: {A: 1}\nextends: one")
        .bottle("base", "")
        .bottle("orphan", "extends: [bsae, bsae, Nobody, 7]");
    insta::assert_snapshot!(scene.problems_in("a", &["self"]), @r"
    error: the bottle `self` extends itself
     --> /home/bottles/self.md:2:10
      |
    2 | extends: self
      |          ^^^^
      |
      = help: remove one of these steps
    ");
    insta::assert_snapshot!(scene.problems_in("a", &["one"]), @r"
    error: bottles extend each other in a circle: one -> two -> three -> one
     --> /home/bottles/three.md:3:10
      |
    3 | extends: one
      |          ^^^
      |
      = help: remove one of these steps
    ");
    insta::assert_snapshot!(scene.problems_in("a", &["orphan"]), @r#"
    error: `bsae` is named twice in `extends`
     --> /home/bottles/orphan.md:2:17
      |
    2 | extends: [bsae, bsae, Nobody, 7]
      |                 ^^^^
      |
      = help: keep one

    error: bad `extends`: `Nobody` cannot be the name of an agent or a bottle: use 1 to 57 of a-z, 0-9 and `-`, and begin with a letter
     --> /home/bottles/orphan.md:2:23
      |
    2 | extends: [bsae, bsae, Nobody, 7]
      |                       ^^^^^^

    error: `extends` must be text, not a number
     --> /home/bottles/orphan.md:2:31
      |
    2 | extends: [bsae, bsae, Nobody, 7]
      |                               ^ a number here
      |
      = help: put it into quotes: "7"

    error: there is no bottle `bsae`
     --> /home/bottles/orphan.md:2:11
      |
    2 | extends: [bsae, bsae, Nobody, 7]
      |           ^^^^
      |
      = help: did you mean `base`?
    "#);
}

/// A ladder of diamonds has 2^40 ways to its top; each bottle is read once.
#[test]
fn a_ladder_of_diamonds_is_linear() {
    let mut scene =
        Scene::new().agent("a", "").bottle("l0", "egress: {routes: [{host: top.example}]}").bottle("r0", "env: {A: 1}");
    for step in 1..30 {
        let parents = format!("extends: [l{0}, r{0}]", step - 1);
        scene = scene.bottle(&format!("l{step}"), &parents).bottle(&format!("r{step}"), &parents);
    }
    assert_eq!(hosts(&scene, &["l29"]), ["top.example"]);
}

#[test]
fn a_chain_has_an_end() {
    let mut scene = Scene::new().agent("a", "").bottle("c0", "");
    for step in 1..200 {
        scene = scene.bottle(&format!("c{step}"), &format!("extends: c{}", step - 1));
    }
    assert!(scene.try_resolve("a", &["c30"]).is_ok());
    assert!(scene.problems_in("a", &["c199"]).contains("more than 32 bottles extend one another"));
}

#[test]
fn all_problems_of_all_files_at_once() {
    let scene = Scene::new()
        .agent("a", "botle: x\nskills: [../x]")
        .bottle("one", "supervise: yes\nextends: two")
        .bottle("two", "env: {1A: x}");
    let error = scene.try_resolve("a", &["one", "ghost"]).unwrap_err();
    let places: Vec<String> = error
        .diagnostics()
        .iter()
        .map(|d| format!("{}:{}", d.file().map_or("", |f| f.file_stem().unwrap().to_str().unwrap()), d.line().unwrap_or(0)))
        .collect();
    assert_eq!(places, ["a:2", "a:3", ":0", "one:2", "two:2"]);
}

#[test]
fn routes_that_cannot_hold_together_are_told_with_both_places() {
    let scene = Scene::new()
        .agent("a", "")
        .bottle("opens", "egress: {routes: [{host: api.example.org}]}")
        .bottle("pins", "egress: {routes: [{host: api.example.org, tls: passthrough}]}")
        .bottle("pays", "egress:\n  routes:\n    - {host: api.example.org, auth: {scheme: Bearer, token_ref: T}}");
    insta::assert_snapshot!(scene.problems_in("a", &["opens", "pins"]), @"
    error: the routes to api.example.org of /home/bottles/opens.md:2 and /home/bottles/pins.md:2 disagree about `tls`: intercept and passthrough
     |
     = help: say the same in both, or keep one of them
    ");
    insta::assert_snapshot!(scene.problems_in("a", &["opens", "pays"]), @"
    error: the route to api.example.org of /home/bottles/opens.md:2 takes every request before that of /home/bottles/pays.md:4, whose `auth` would never apply
     |
     = help: choose the bottles in the other order, narrow the earlier route with `matches`, or keep one of them
    ");
    assert_eq!(scene.resolve_in("a", &["pays", "opens"]).bottle.egress.rules().len(), 2);
}
