use std::os::unix::fs::PermissionsExt as _;

use crate::scene::Scene;

/// Every manifest of the guide, as it stands there, gives the preflight that stands below it.
#[test]
fn the_guide_is_true() {
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/agents.md")).unwrap();
    let examples: Vec<(&str, &str)> = guide.split("```yaml\n").skip(1).map(example).collect();
    assert_eq!(examples.len(), 7);
    for (manifest, preflight) in examples {
        let scene = scene().bottle("b", manifest);
        let ran = scene.run(&["start", "a", "--dry-run"]);
        assert!(ran.code == 0 && ran.stderr.contains(preflight), "{manifest}\n{preflight}\n{ran:?}");
    }
}

fn example(text: &str) -> (&str, &str) {
    let (manifest, rest) = text.split_once("```").unwrap();
    let preflight = rest.strip_prefix("\n\n```text\n").and_then(|rest| rest.split_once("```")).unwrap().0;
    (manifest, preflight)
}

/// A person with both programs, a token in a variable, and logins.
fn scene() -> Scene {
    let login = r#"{"auth_mode": "apikey", "OPENAI_API_KEY": "canary"}"#;
    let scene = Scene::bare()
        .agent("a", "bottle: b\n", "")
        .file("home/.claude/.credentials.json", r#"{"claudeAiOauth": {"accessToken": "canary"}}"#)
        .file("home/.codex/auth.json", login)
        .env("CLAUDE_TOKEN", "canary");
    for program in ["home/bin/claude", "home/bin/codex"] {
        let path = scene.path(program);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", scene.path("home/bin").display());
    scene.env("PATH", &path)
}
