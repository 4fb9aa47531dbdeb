//! Two bottles at once, each with a route of its own.

use super::world::{FREE, PAID, World, part};
use crate::elsewhere::{has_own_kernel, recorded};
use crate::scene::SHELL;

#[test]
fn one_bottle_knows_and_trusts_nothing_of_another() {
    let Some(world) = World::open() else { return };
    let dial = world.origin.address();
    let lonely = format!("{SHELL}egress:\n  routes:\n    - host: lonely.example.org\n      dial: {dial}\n");
    let World { scene, origin, canary } = world;
    let scene = scene.bottle("lonely", &lonely).agent("other", "bottle: lonely\n", "");
    let world = World { scene, origin, canary };
    let mut live = world.scene.live("echo ready; cat");
    let certificate = |args: &[&str]| {
        let ran = world.scene.run(args);
        part(&ran.stdout, "authority").to_owned()
    };
    // The first certificate of the bundle is the session's own.
    let show = "echo == authority; sed '/END/q' \"$SSL_CERT_FILE\"";
    let theirs = certificate(&["exec", "s", "--", "sh", "-c", show]);
    let script = format!(
        "{show}; grep -c \"$1\" \"$SSL_CERT_FILE\" | sed 's/^/== theirs here\\n/'
         for name in {PAID} {FREE} lonely.example.org; do echo \"== $name\"; getent hosts $name | cut -d' ' -f1; done
         echo '== their address'; curl -s -m 60 -o /dev/null -w '%{{http_code}}' --noproxy '*' --resolve {FREE}:443:198.18.0.4 https://{FREE}/
         echo; echo '== their policy'; curl -s http://policy.bottle.internal/policy.json | grep -o '\"host\": .*[a-z]'"
    );
    let second_line = theirs.lines().nth(1).unwrap();
    let ran = world.scene.run(&["start", "other", "--headless", "--yes", "--", "sh", "-c", &script, "sh", second_line]);
    let ours = part(&ran.stdout, "authority");
    assert!(ours.contains("BEGIN CERTIFICATE") && theirs.contains("BEGIN CERTIFICATE") && ours != theirs, "{ran:?}");
    assert_eq!(part(&ran.stdout, "theirs here"), "0");
    // The same address stands for another name here.
    let own = if has_own_kernel() { "" } else { "198.18.0.4" };
    assert_eq!([PAID, FREE, "lonely.example.org"].map(|name| part(&ran.stdout, name)), ["", "", own]);
    assert_eq!(part(&ran.stdout, "their address"), "000");
    assert_eq!(part(&ran.stdout, "their policy"), "\"host\": \"lonely.example.org");
    assert_eq!(world.refusals().iter().filter(|refusal| refusal.starts_with("egress.authority TLS lonely")).count(), recorded(1));
    assert!(world.origin.requests().is_empty());
    live.close_stdin();
    assert_eq!(live.end().0, Some(0));
}
