use std::time::Duration;

use bottle::testing::FakeBackend;
use bottle::{ExitStatus, LimitHit};
use provision::Notice;
use session::{Caught, Ending, Interrupts, Outcome, Plan, Session, SessionError};

use crate::faulty::{Fault, Faulty};
use crate::scene::Scene;

async fn run(scene: &Scene, plan: Plan, backend: &Faulty) -> Outcome {
    let mut interrupts = Interrupts::install().unwrap();
    backend.arm(interrupts.stopper());
    let mut announce = |_: &Notice<'_>| {};
    let (home, interrupts, policy) = (scene.home(), &mut interrupts, Box::new(NoPolicy));
    Session { plan, home, backend, announce: &mut announce, interrupts, policy, at_rest: || () }.run().await
}

fn ends_with(code: u8) -> FakeBackend {
    FakeBackend::new().program("sh", move |_| code)
}

#[tokio::test]
async fn an_agents_status_is_the_sessions_and_nothing_is_left() {
    let scene = Scene::new("", "skills: [one]\n").skill("one");
    let backend = Faulty::new(ends_with(7), Fault::None);
    let outcome = run(&scene, scene.plan(&backend).await, &backend).await;
    assert!(matches!(outcome.ending, Ok(Ending::Agent(ExitStatus::Code(7)))), "{outcome:?}");
    assert_eq!(outcome.code(), 7);
    backend.assert_closed(1).await;
    scene.assert_no_state();
}

#[tokio::test]
async fn a_launch_that_fails_leaves_nothing() {
    let scene = Scene::new("", "");
    let backend = Faulty::new(ends_with(0), Fault::Launch);
    let outcome = run(&scene, scene.plan(&backend).await, &backend).await;
    assert_eq!(outcome.code(), 125);
    assert!(matches!(outcome.ending, Err(SessionError::Launch(_))));
    scene.assert_no_state();
}

#[tokio::test]
async fn a_record_that_cannot_be_written_stops_the_launch_before_there_is_a_bottle() {
    let scene = Scene::new("", "");
    let backend = Faulty::new(ends_with(0), Fault::None);
    let plan = scene.plan(&backend).await;
    std::fs::create_dir_all(scene.home().path()).unwrap();
    std::fs::File::create(scene.home().path().join("audit")).unwrap();
    let outcome = run(&scene, plan, &backend).await;
    assert_eq!(outcome.code(), 125);
    assert!(matches!(outcome.ending, Err(SessionError::Record(_))), "{outcome:?}");
    backend.assert_closed(0).await;
    scene.assert_no_state();
}

#[tokio::test]
async fn a_skill_that_goes_between_plan_and_copy_stops_the_launch_and_is_named() {
    let scene = Scene::new("", "skills: [one]\n").skill("one");
    let backend = Faulty::new(ends_with(0), Fault::None);
    let plan = scene.plan(&backend).await;
    std::fs::remove_dir_all(scene.path(".claude/skills/one")).unwrap();
    let outcome = run(&scene, plan, &backend).await;
    assert_eq!(outcome.code(), 125);
    let Err(SessionError::Provision(error)) = outcome.ending else { panic!("{outcome:?}") };
    assert!(error.to_string().contains("skill one"), "{error}");
    backend.assert_closed(1).await;
    scene.assert_no_state();
}

#[tokio::test]
async fn a_stop_while_the_bottle_is_made_closes_what_was_made() {
    let scene = Scene::new("", "");
    let backend = Faulty::new(ends_with(0), Fault::StopDuringLaunch(None));
    let outcome = run(&scene, scene.plan(&backend).await, &backend).await;
    assert!(matches!(outcome.ending, Ok(Ending::Caught(Caught::Stop))), "{outcome:?}");
    assert_eq!(outcome.code(), 143);
    backend.assert_closed(1).await;
    scene.assert_no_state();
}

#[tokio::test]
async fn a_stop_while_something_is_copied_ends_the_copy() {
    let scene = Scene::new("", "");
    let backend = Faulty::new(ends_with(0), Fault::StopDuringCopy(None));
    let outcome = run(&scene, scene.plan(&backend).await, &backend).await;
    assert!(matches!(outcome.ending, Ok(Ending::Caught(Caught::Stop))), "{outcome:?}");
    backend.assert_closed(1).await;
    scene.assert_no_state();
}

#[tokio::test]
async fn a_launch_that_fails_after_the_stop_is_told() {
    let scene = Scene::new("", "");
    let backend = Faulty::new(ends_with(0), Fault::StopThenLaunchFails(None));
    let outcome = run(&scene, scene.plan(&backend).await, &backend).await;
    assert!(matches!(outcome.ending, Ok(Ending::Caught(Caught::Stop))), "{outcome:?}");
    assert!(outcome.late.as_ref().is_some_and(|error| error.to_string().contains("mounting /usr")), "{outcome:?}");
    scene.assert_no_state();
}

#[tokio::test]
async fn a_second_stop_does_not_wait_for_a_launch_that_does_not_end() {
    let scene = Scene::new("", "");
    let backend = Faulty::new(ends_with(0), Fault::StuckLaunch(None));
    let outcome = run(&scene, scene.plan(&backend).await, &backend).await;
    assert!(matches!(outcome.ending, Ok(Ending::Caught(Caught::Stop))), "{outcome:?}");
    assert!(outcome.undone.unwrap_err().to_string().contains("interrupted launch"));
    scene.assert_no_state();
}

#[tokio::test]
async fn a_stop_while_the_bottle_is_closed_changes_nothing() {
    let scene = Scene::new("", "");
    let backend = Faulty::new(ends_with(7), Fault::StopDuringClose(None));
    let outcome = run(&scene, scene.plan(&backend).await, &backend).await;
    assert!(matches!(outcome.ending, Ok(Ending::Agent(ExitStatus::Code(7)))) && outcome.undone.is_ok(), "{outcome:?}");
    backend.assert_closed(1).await;
    scene.assert_no_state();
}

#[tokio::test]
async fn what_cannot_be_closed_is_told_and_the_rest_is_taken_back() {
    let scene = Scene::new("", "");
    let backend = Faulty::new(ends_with(0), Fault::Close);
    let outcome = run(&scene, scene.plan(&backend).await, &backend).await;
    let error = outcome.undone.as_ref().unwrap_err().to_string();
    assert!(error.contains("closing bottle a-") && error.contains("cgroup /x: busy"), "{error}");
    assert_eq!(outcome.code(), 125);
    scene.assert_no_state();
}

#[tokio::test]
async fn the_time_limit_ends_an_agent_that_does_not() {
    let scene = Scene::new("limits:\n  time: 1s\n", "");
    let holds = FakeBackend::new().program("sh", |process| {
        process.hold();
        0
    });
    let backend = Faulty::new(holds, Fault::None);
    let outcome = run(&scene, scene.plan(&backend).await, &backend).await;
    let Ok(Ending::TimeLimit(limit)) = outcome.ending else { panic!("{outcome:?}") };
    assert_eq!((limit, outcome.code()), (Duration::from_secs(1), 125));
    backend.assert_closed(1).await;
    scene.assert_no_state();
}

#[tokio::test]
async fn what_nobody_was_asked_stops_the_launch_before_a_bottle_is_made() {
    let scene = Scene::new("env:\n  TOKEN: \"?\"\n", "");
    let backend = Faulty::new(ends_with(0), Fault::None);
    let outcome = run(&scene, scene.plan(&backend).await, &backend).await;
    assert!(matches!(&outcome.ending, Err(SessionError::Unanswered(name)) if name == "TOKEN"), "{outcome:?}");
    backend.assert_closed(0).await;
    scene.assert_no_state();
}

#[tokio::test]
async fn limits_that_were_hit_are_asked_for_before_the_bottle_is_closed() {
    let scene = Scene::new("", "");
    let backend = Faulty::new(ends_with(137), Fault::MemoryUsedUp);
    let outcome = run(&scene, scene.plan(&backend).await, &backend).await;
    assert_eq!((outcome.code(), outcome.limits_hit.as_slice()), (137, &[LimitHit::Memory { killed: 2 }][..]));
    backend.assert_closed(1).await;
}

/// A policy that nobody asks for anew.
struct NoPolicy;

impl session::PolicySource for NoPolicy {
    fn read(&self) -> Result<manifest::Resolved, String> {
        Err("nobody asked".to_owned())
    }
}
