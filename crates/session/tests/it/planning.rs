use bottle::testing::FakeBackend;
use bottle::{Backend as _, LimitSupport};
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
    let choices = Choices { label: Some("Not A Label".to_owned()), ..Choices::default() };
    let problems = scene.try_plan(&backend, &capabilities, choices).unwrap_err();
    let text = problems.to_string();
    for part in ["MISSING_ONE", "MISSING_TWO", "/not/there", "skill gone", "--label", "limits.memory cannot be enforced"] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    assert_eq!(problems.0.len(), 6, "{text}");
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
