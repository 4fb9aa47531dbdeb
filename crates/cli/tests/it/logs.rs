use std::process::Stdio;

use serde_json::Value;
use testkit::origin::{Answer, Door, Gate, Origin};

use crate::scene::{Ran, SHELL, Scene};

/// Records wait in memory for a moment: what a session's end cuts off is among them.
#[test]
fn whoever_follows_sees_the_last_record_too() {
    let gate = Gate::closed();
    let never = gate.clone();
    let origin = Origin::start(Door::Plain, move |_| Answer::text("too late").behind(&never));
    let routes = format!("egress:\n  routes:\n    - host: slow.example.org\n      dial: {}\n", origin.address());
    let scene = Scene::bare().bottle("b", &format!("{SHELL}{routes}")).agent("a", "bottle: b\n", "");
    let mut live = scene.live("echo ready; curl -s http://slow.example.org/ & read word");
    origin.wait("the request", |requests| !requests.is_empty());
    let mut follow = scene.command(&["logs", "s", "--egress", "--follow", "--json"]);
    let follower = follow.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    live.close_stdin();
    live.end();
    let followed = Ran::from(&follower.wait_with_output().unwrap());
    assert_eq!(followed.code, 0, "{followed:?}");
    let record: Value = serde_json::from_str(followed.stdout.trim()).unwrap();
    assert_eq!((&record["to"], &record["failed"]), (&"http://slow.example.org".into(), &"bottle.left".into()), "{record}");
    gate.open();
}
