//! What bottles in containers are made from. On the default backend there is nothing of it.

use crate::elsewhere::{has_own_kernel, is_native};
use crate::scene::{Ran, SHELL, Scene};

/// A bottle from this Dockerfile, which begins with the tests' image.
fn built(dockerfile: &str) -> Option<Scene> {
    if is_native() {
        return None;
    }
    let base = std::env::var("BOT_BOTTLE_TEST_IMAGE").unwrap();
    let scene = Scene::bare()
        .bottle("b", &format!("{SHELL}  dockerfile: ~/image/Dockerfile\n"))
        .agent("a", "bottle: b\nskills: [greet]\n", "a prompt")
        .file("home/.claude/skills/greet/SKILL.md", "a skill")
        .file("home/image/Dockerfile", &format!("FROM {base}\n{dockerfile}"));
    Some(scene)
}

fn python(scene: &Scene, script: &str) -> Ran {
    scene.run(&["start", "a", "--headless", "--yes", "--", "/usr/bin/python3", "-I", "-c", script])
}

#[test]
fn a_dockerfile_is_built_once_and_again_when_something_beside_it_changes() {
    let Some(scene) = built("COPY word /word\n") else { return };
    // Of this run alone: another one's image would be found.
    let word = testkit::canary("word");
    let scene = scene.file("home/image/word", &word);
    let says = |scene: &Scene| scene.script("cat /word");
    let first = says(&scene);
    assert_eq!((first.code, &first.stdout), (0, &word), "{first:?}");
    assert!(first.stderr.contains("building image bot-bottle-command:"), "{first:?}");
    let second = says(&scene);
    assert!(second.stdout == word && !second.stderr.contains("building"), "{second:?}");
    let scene = scene.file("home/image/word", "another word");
    let third = says(&scene);
    assert!(third.stdout == "another word" && third.stderr.contains("building"), "{third:?}");
    scene.assert_nothing_left();
}

#[test]
fn a_dockerfile_that_fails_leaves_nothing_and_says_what_failed() {
    let Some(scene) = built("RUN echo canary-of-the-step && exit 41\n") else { return };
    let ran = scene.script("true");
    assert_eq!(ran.code, 125, "{ran:?}");
    assert!(ran.stderr.contains("error: ") && ran.stderr.contains("canary-of-the-step"), "{ran:?}");
    scene.assert_nothing_left();
}

#[test]
fn a_dockerfile_in_a_home_does_not_send_the_home() {
    let Some(scene) = built("") else { return };
    let many = scene.path("home/image/many");
    std::fs::create_dir(&many).unwrap();
    for at in 0..10_001 {
        std::fs::File::create(many.join(at.to_string())).unwrap();
    }
    let ran = scene.script("true");
    assert!(ran.code == 125 && ran.stderr.contains("into a folder of its own"), "{ran:?}");
    scene.assert_nothing_left();
}

#[test]
fn an_image_that_is_gone_is_named_with_what_to_do() {
    if is_native() {
        return;
    }
    let image = "bot-bottle-test-that-never-was:1";
    let scene = Scene::bare().bottle("b", &format!("{SHELL}  image: {image}\n")).agent("a", "bottle: b\n", "");
    let ran = scene.script("true");
    assert!(ran.code == 125 && ran.stderr.contains(image) && ran.stderr.contains("build or import it"), "{ran:?}");
    scene.assert_nothing_left();
}

/// An image of somebody who wants the bottle to fail open: no user node, no `/tmp`, no shell, no tar, an `id` that lies, programs that are
/// to run before the bottle's, another user.
#[test]
fn a_hostile_image_gets_what_any_image_gets() {
    let hostile = "RUN rm -rf /tmp /home && echo 'root:x:0:0::/:/bin/false' > /etc/passwd && echo 'node:x:0:' > /etc/group && \
                   printf '#!/usr/bin/python3\\nprint(\"uid=0(root)\")\\n' > /usr/bin/id && chmod +x /usr/bin/id\n\
                   RUN [\"/usr/bin/python3\", \"-c\", \"import os; [os.remove(f'/usr/bin/{name}') for name in ('tar', 'sh', 'dash', 'bash')]\"]\n\
                   HEALTHCHECK CMD [\"/usr/bin/python3\", \"-c\", \"open('/checked', 'w')\"]\nENTRYPOINT [\"/usr/bin/id\"]\nUSER 4242\nVOLUME /home/node\n";
    let Some(scene) = built(hostile) else { return };
    let script = "import os
print(os.getuid(), os.getgid(), os.environ['HOME'], os.getcwd())
print({line.split()[1] for line in open('/proc/self/status') if line.startswith('Cap')}, os.path.exists('/checked'))
open('/tmp/written', 'w').close()
print(open(os.environ['HOME'] + '/.claude/skills/greet/SKILL.md').read())";
    let ran = python(&scene, script);
    let expected = "1000 1000 /home/node /home/node\n{'0000000000000000'} False\na skill\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (0, expected), "{}", ran.stderr);
    scene.assert_nothing_left();
}

#[test]
fn links_of_an_image_where_a_bottle_has_folders_are_refused_by_name() {
    for (link, place) in [("rm -rf /tmp && ln -s /nowhere /tmp", "/tmp"), ("rm -rf /home && ln -s /etc /home", "/home")] {
        let Some(scene) = built(&format!("RUN {link}\n")) else { return };
        let ran = python(&scene, "import os; print(os.path.islink('/tmp'), os.path.exists('/nowhere'))");
        if has_own_kernel() && place == "/tmp" {
            // gVisor lays a file system of its own over it before anything of ours runs.
            assert_eq!((ran.code, ran.stdout.as_str()), (0, "False False\n"), "{}", ran.stderr);
            continue;
        }
        let said = ran.stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
        assert!(ran.code == 125 && said.contains(&format!(" {place}")), "{ran:?}");
        scene.assert_nothing_left();
    }
}

/// Listens at the proxy's port and answers everything, as an image's own programs could before anything else runs.
#[test]
fn an_image_that_would_listen_before_the_relay_never_runs() {
    let thief = "RUN printf 'import socket\\nthief = socket.create_server((\"127.0.0.1\", 3128))\\nwhile True:\\n thief.accept()[0].send(b\"STOLEN\")\\n' \
                 > /thief.py\nENTRYPOINT [\"/usr/bin/python3\", \"/thief.py\"]\nCMD [\"/thief.py\"]\n\
                 HEALTHCHECK --interval=1s CMD /usr/bin/python3 /thief.py\nONBUILD RUN /usr/bin/python3 /thief.py\nSTOPSIGNAL SIGWINCH\n";
    let Some(scene) = built(thief) else { return };
    let script = "import os, socket
asking = socket.create_connection(('127.0.0.1', 3128), 60)
asking.sendall(b'GET http://evil.example/ HTTP/1.0\\r\\n\\r\\n')
print(asking.recv(12).decode(), sum(b'/thief' b'.py' in open(f'/proc/{id}/cmdline', 'rb').read() for id in os.listdir('/proc') if id.isdigit() and int(id) != os.getpid()))";
    let ran = python(&scene, script);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "HTTP/1.0 403 0\n"), "{}", ran.stderr);
    scene.assert_nothing_left();
}

/// Where something is copied in, and where the helper is shown.
const ON_THE_WAY: [&str; 5] =
    ["/home/node", "/home/node/.claude", "/usr/local/share/ca-certificates", "/etc/ssl/certs", "/run/bot-bottle"];

#[test]
fn volumes_of_an_image_below_whatever_is_copied_in_change_nothing() {
    let Some(scene) = built(&format!("VOLUME {ON_THE_WAY:?}\n")) else { return };
    let script = "import os
print(open('/home/node/.claude/skills/greet/SKILL.md').read(), os.stat('/home/node').st_uid, os.access('/run/bot-bottle', os.W_OK))
print('BEGIN' in open('/usr/local/share/ca-certificates/bot-bottle.crt').read(), 'BEGIN' in open('/etc/ssl/certs/ca-certificates.crt').read())";
    let ran = python(&scene, script);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "a skill 1000 False\nTrue True\n"), "{}", ran.stderr);
    scene.assert_nothing_left();
}

#[test]
fn links_of_an_image_on_the_way_to_whatever_is_copied_in_are_not_followed() {
    for place in ON_THE_WAY {
        let link = format!("RUN mkdir -p /elsewhere {place} && rm -rf {place} && ln -s /elsewhere {place}\n");
        let Some(scene) = built(&link) else { return };
        let ran = python(&scene, "import os; print(os.listdir('/elsewhere'))");
        let refused = ran.code == 125 && ran.stderr.lines().any(|line| line.starts_with("error: ") && line.contains(place));
        // The engine itself resolves what it mounts within the image: the helper is shown there and nothing is copied.
        let beside = place == "/run/bot-bottle" && ran.code == 0 && !ran.stdout.contains("SKILL");
        assert!(refused || beside, "{place}: {ran:?}");
        scene.assert_nothing_left();
    }
}

#[test]
fn an_engine_that_refuses_is_told_with_what_mends_it() {
    if is_native() {
        return;
    }
    let scene = Scene::new();
    let socket = scene.path("closed.sock");
    // Bound and left: whoever connects is refused.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let scene = scene.env("DOCKER_HOST", &format!("unix://{}", socket.display()));
    let ran = scene.script("true");
    assert!(ran.code == 125 && ran.stderr.contains("DOCKER_HOST") && ran.stderr.contains("hint: "), "{ran:?}");
    scene.assert_nothing_left();
}
