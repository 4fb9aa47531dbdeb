use bottle::testing::FakeBackend;
use bottle::{Backend as _, ImageSupport, LimitSupport};
use session::Choices;

use crate::scene::Scene;

#[tokio::test]
async fn every_problem_is_told_at_once() {
    let scene = Scene::new(
        "env:\n  A: ${MISSING_ONE}\n  B: ${MISSING_TWO}\ntools: [/not/there]\nlimits:\n  memory: 1G\n",
        "skills: [gone]\n",
    );
    let backend = FakeBackend::new();
    let mut capabilities = backend.check().await.unwrap();
    capabilities.limits = LimitSupport { memory: Err("no cgroup is yours".to_owned()), ..LimitSupport::all() };
    let problems = scene.try_plan(&backend, &capabilities, Choices::default()).unwrap_err();
    let text = problems.to_string();
    for part in ["MISSING_ONE", "MISSING_TWO", "/not/there", "skill gone", "limits.memory cannot be enforced"] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    assert_eq!(problems.0.len(), 5, "{text}");
    scene.assert_no_state();
}

#[tokio::test]
async fn planning_makes_nothing() {
    let scene = Scene::new("", "skills: [one]\n").skill("one");
    let plan = scene.plan(&FakeBackend::new()).await;
    assert_eq!(plan.preflight().skills, ["one"]);
    assert!(!scene.path(".bot-bottle/state").exists() && !scene.path(".bot-bottle/audit").exists());
}

#[tokio::test]
async fn names_that_steer_a_terminal_are_shown_escaped() {
    let scene = Scene::new("", "");
    let backend = FakeBackend::new();
    let capabilities = backend.check().await.unwrap();
    let choices = Choices { command: vec!["sh".into(), "\x1b]0;title\x07".into()], ..Choices::default() };
    let plan = scene.try_plan(&backend, &capabilities, choices).unwrap();
    let json = serde_json::to_string(plan.preflight()).unwrap();
    assert!(json.contains("u{1b}]0;title") && !json.contains("\\u001b"), "{json}");
}

#[tokio::test]
async fn an_image_that_the_backend_cannot_take_is_a_problem_of_the_plan() {
    let backend = FakeBackend::new();
    let mut capabilities = backend.check().await.unwrap();
    let no = |reason: &str| Err(reason.to_owned());
    capabilities.images =
        ImageSupport { folder: no("no folders"), archive: no("unpack it"), engine: no("no engine"), ..ImageSupport::all() };
    let image = |value: &str| Scene::with_provider(&format!("  image: {value}\n"));
    let folder = tempfile::tempdir().unwrap();
    let archive = tempfile::NamedTempFile::new().unwrap();
    let folder = folder.path().to_str().unwrap();
    let archive = archive.path().to_str().unwrap();
    for (value, reason) in [(folder, "no folders"), (archive, "unpack it"), ("debian:13", "no engine")] {
        let problems = image(value).try_plan(&backend, &capabilities, Choices::default()).unwrap_err();
        assert_eq!(problems.to_string(), format!("agent_provider.image: {value}: the fake backend cannot use it: {reason}"));
    }
    capabilities.images = ImageSupport::all();
    for value in [folder, archive, "debian:13"] {
        assert!(image(value).try_plan(&backend, &capabilities, Choices::default()).is_ok(), "{value}");
    }
}

#[tokio::test]
async fn the_workspace_is_planned_where_the_manifest_says() {
    let scene = Scene::new("workspace:\n  path: /srv/app/\n  exclude: [target/debug, x]\n", "");
    let project = scene.path("project");
    std::fs::create_dir_all(project.join("target/debug")).unwrap();
    for file in ["target/debug/a", "target/b", "x", "y"] {
        std::fs::write(project.join(file), "").unwrap();
    }
    let backend = FakeBackend::new();
    let capabilities = backend.check().await.unwrap();
    let choices = Choices { workspace: Some(project), ..Choices::default() };
    let plan = scene.try_plan(&backend, &capabilities, choices).unwrap();
    let line = plan.preflight().workspace.as_ref().unwrap();
    assert_eq!((line.path.as_str(), line.files), ("/srv/app", 2));
}

#[tokio::test]
async fn our_own_folder_may_not_stand_where_bottles_look() {
    let backend = FakeBackend::new();
    let capabilities = backend.check().await.unwrap();
    let problems = Scene::new("", "").plan_with_state("/opt/bot-bottle-state", &backend, &capabilities).unwrap_err();
    assert!(problems.to_string().contains("BOT_BOTTLE_HOME is /opt/bot-bottle-state, in a system folder"), "{problems}");
}
