//! The real Claude Code and Codex, installed in the person's home, in a bottle without a credential for its model.

use std::path::{Path, PathBuf};

use crate::elsewhere::is_native;
use crate::scene::{Ran, Scene};

/// A model API inside the bottle that keeps what it is asked and answers every question with an error.
const LISTENER: &str = r#"
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        open("/home/node/asked", "ab").write(body + b"\n")
        answer = b'{"type":"error","error":{"type":"invalid_request_error","message":"seen"}}'
        self.send_response(400)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    do_GET = do_POST
    def log_message(self, *a): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 18080), Handler)
open("/home/node/listening", "w").close()
server.serve_forever()
"#;

/// Starts the listener, runs `agent`, shows what arrived.
fn listened(agent: &str) -> String {
    format!(
        "cat > /tmp/listener.py <<'PY'\n{LISTENER}\nPY\npython3 /tmp/listener.py & \
         until [ -e ~/listening ]; do :; done; {agent} </dev/null >/tmp/out 2>&1; cat /tmp/out; cat ~/asked"
    )
}

#[test]
fn claude_starts_from_an_install_in_the_home_and_is_refused_with_a_reason() {
    let Some(scene) = scene("claude") else { return };
    let ran = start(&scene, &["--prompt", "say hi"]);
    // What the agent itself shows differs from version to version: the answer's own text, or that the proxy refused.
    assert!(ran.code != 0 && (ran.stdout.contains("403") || ran.stdout.contains("proxy")), "{ran:?}");
    assert!(ran.stderr.contains("refused: see 'bot-bottle logs"), "{ran:?}");
    scene.assert_nothing_left();
}

#[test]
fn codex_starts_from_an_install_in_the_home_and_is_refused_with_a_reason() {
    let Some(scene) = scene("codex") else { return };
    // It retries for minutes; the limit ends it, and what it has said by then is looked at.
    let scene = scene.bottle("b", "agent_provider:\n  template: codex\nlimits:\n  time: 20s\n");
    let ran = start(&scene, &["--prompt", "say hi"]);
    assert!(ran.stderr.contains("403") && ran.stderr.contains("OpenAI Codex"), "{ran:?}");
    assert!(ran.stderr.contains("refused: see 'bot-bottle logs"), "{ran:?}");
    scene.assert_nothing_left();
}

#[test]
fn claude_sees_the_skill_and_the_prompt() {
    let Some(scene) = scene("claude") else { return };
    let agent = "ANTHROPIC_BASE_URL=http://127.0.0.1:18080 claude --dangerously-skip-permissions -p \
                 --append-system-prompt-file ~/.bot-bottle-prompt.txt 'say hi'";
    let ran = start(&scene, &["--", "sh", "-c", &listened(agent)]);
    assert!(ran.stdout.contains("canary-of-the-prompt"), "{ran:?}");
    assert!(ran.stdout.contains("canary-of-the-skill"), "{ran:?}");
}

#[test]
fn codex_sees_the_skill_and_where_its_prompt_is() {
    let Some(scene) = scene("codex") else { return };
    let provider =
        r#"-c model_provider=t -c 'model_providers.t={name="t",base_url="http://127.0.0.1:18080/v1",wire_api="responses"}'"#;
    let agent = format!(
        "codex exec --dangerously-bypass-approvals-and-sandbox --skip-git-repo-check {provider} \
         'Read /home/node/.bot-bottle-prompt.txt first'; cat ~/.bot-bottle-prompt.txt"
    );
    let ran = start(&scene, &["--", "sh", "-c", &listened(&agent)]);
    assert!(ran.stdout.contains("canary-of-the-prompt") && ran.stdout.contains("bot-bottle-prompt.txt"), "{ran:?}");
    assert!(ran.stdout.contains("canary-of-the-skill"), "{ran:?}");
}

#[test]
fn nothing_of_the_rest_of_the_home_is_visible_to_them() {
    for agent in ["claude", "codex"] {
        let Some(scene) = scene(agent) else { return };
        let scene = scene.file("home/.ssh/id_ed25519", "canary-of-the-home").file("home/notes", "canary-of-the-home");
        let home = scene.path("home");
        let script = format!("find {} -maxdepth 3; grep -rs canary-of-the-home / --exclude-dir=proc | head", home.display());
        let ran = start(&scene, &["--", "sh", "-c", &script]);
        let seen: Vec<&str> = ran.stdout.lines().map(|line| line.trim_start_matches(&*home.to_string_lossy())).collect();
        assert_eq!(!seen.is_empty(), is_native(), "{ran:?}");
        assert!(seen.iter().all(|path| path.is_empty() || path.starts_with("/.npm-global")), "{ran:?}");
        assert!(seen.iter().all(|path| !path.contains("canary")), "{ran:?}");
    }
}

fn start(scene: &Scene, more: &[&str]) -> Ran {
    scene.run(&[&["start", "a", "--headless", "--yes"], more].concat())
}

/// A home with the agent's program, a skill and a bottle for it.
fn scene(agent: &str) -> Option<Scene> {
    let scene = with_program(Scene::bare())?;
    let scene = scene
        // Claude tries for minutes otherwise.
        .bottle("b", &format!("agent_provider:\n  template: {agent}\nenv:\n  CLAUDE_CODE_MAX_RETRIES: 0\n"))
        .agent("a", "bottle: b\nskills: [greet]\n", "canary-of-the-prompt")
        .file("home/.claude/skills/greet/SKILL.md", "---\nname: greet\ndescription: canary-of-the-skill\n---\nSay hello.\n");
    Some(scene)
}

/// With the agents' programs installed by npm under `~/.npm-global`. `None`, and a reason, where they are missing.
pub fn with_program(scene: Scene) -> Option<Scene> {
    let Some(installed) = std::env::var_os("BOT_BOTTLE_TEST_AGENTS").map(PathBuf::from) else {
        testkit::require("agents", "BOT_BOTTLE_TEST_AGENTS names no folder with the agents' programs");
        return None;
    };
    let prefix = scene.path("home/.npm-global");
    copy(&installed, &prefix);
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", prefix.join("bin").display());
    Some(scene.env("PATH", &path))
}

/// Hard links where the file system allows it: the programs are some hundred megabytes.
fn copy(from: &Path, to: &Path) {
    let copied =
        |option: &str| std::process::Command::new("cp").args([option, "--"]).arg(from).arg(to).output().unwrap().status.success();
    if !copied("-al") {
        let _ = std::fs::remove_dir_all(to);
        assert!(copied("-a"), "copying {} to {}", from.display(), to.display());
    }
}
