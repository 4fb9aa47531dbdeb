use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::Arc;
use std::time::Duration;

use policy::{Login, TokenRef};
use secret::Secret;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::testing::{Scene, json_of, jwt};
use crate::{ChatGptAccount, CodexLogin, LoginFolder, TokenAnswer, Unreachable};

const CLAUDE: TokenRef = TokenRef::Login(Login::Claude);
const CODEX: TokenRef = TokenRef::Login(Login::Codex);

fn expiring() -> Scene {
    let scene = Scene::new();
    scene.claude_login("old", "first", 60);
    scene.endpoint.takes("first");
    scene
}

#[tokio::test]
async fn a_login_that_holds_is_used_as_it_is() {
    let scene = Scene::new();
    scene.claude_login("good", "first", 3600);
    let sources = scene.sources();
    assert_eq!(sources.check(&CLAUDE).await, Ok(()));
    assert_eq!(sources.current(&CLAUDE).await, Ok(Secret::from("good")));
    // The person's own program has refreshed it.
    scene.claude_login("better", "second", 3600);
    assert_eq!(sources.current(&CLAUDE).await, Ok(Secret::from("better")));
    assert_eq!(scene.endpoint.asked(), 0);
}

#[tokio::test]
async fn an_ending_login_is_refreshed_and_written_back_with_everything_else_as_it_was() {
    let scene = expiring();
    let path = scene.path(".claude/.credentials.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let before = json_of(&path);
    assert_eq!(scene.sources().current(&CLAUDE).await, Ok(Secret::from("canary-access-1")));

    let after = json_of(&path);
    let login = &after["claudeAiOauth"];
    assert_eq!((&login["accessToken"], &login["refreshToken"]), (&json!("canary-access-1"), &json!("canary-refresh-1")));
    assert_eq!(login["scopes"], json!(["user:inference", "user:new"]));
    let hours = (login["expiresAt"].as_i64().unwrap() - jiff::Timestamp::now().as_millisecond()) / 3_600_000;
    assert_eq!((hours, &login["subscriptionType"]), (7, &json!("max")));
    assert_eq!(after["mcpOAuth"], before["mcpOAuth"]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
    let names: Vec<_> = fs::read_dir(scene.path(".claude")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [".credentials.json"], "neither a lock nor a draft is left");

    let requests = scene.endpoint.requests.lock().unwrap();
    let body: Value = serde_json::from_slice(requests[0].body.reveal()).unwrap();
    let client = "9d1c250a-e61b-44d9-88ed-5944d1962f5e";
    let asked = json!({ "grant_type": "refresh_token", "refresh_token": "first", "client_id": client, "scope": "user:inference user:profile" });
    assert_eq!((requests[0].url.as_str(), body), ("https://claude.test/token", asked));
}

#[tokio::test]
async fn a_chatgpt_login_is_refreshed_by_what_its_token_says() {
    let scene = Scene::new();
    let path = scene.chatgpt_login("first", 60);
    scene.endpoint.takes("first");
    let sources = scene.sources();
    let access = sources.current(&CODEX).await.unwrap();
    let after = json_of(&path);
    assert_eq!(Secret::from(after["tokens"]["access_token"].as_str().unwrap()), access);
    assert_eq!(after["tokens"]["refresh_token"], "canary-refresh-1");
    assert_eq!((&after["tokens"]["account_id"], &after["OPENAI_API_KEY"]), (&json!("acct-1"), &Value::Null));
    assert!(after["last_refresh"].as_str().unwrap() > "2026-01-02");
    assert_eq!(sources.current(&CODEX).await, Ok(access));
    assert_eq!(scene.endpoint.asked(), 1);

    let requests = scene.endpoint.requests.lock().unwrap();
    let body: Value = serde_json::from_slice(requests[0].body.reveal()).unwrap();
    let client = "app_EMoamEEZ73f0CkXaXp7hrann";
    assert_eq!(body, json!({ "client_id": client, "grant_type": "refresh_token", "refresh_token": "first" }));
}

#[tokio::test]
async fn what_kind_of_login_codex_has_is_told() {
    let scene = Scene::new();
    scene.chatgpt_login("first", 3600);
    let account =
        ChatGptAccount { account_id: "acct-1".into(), user_id: Some("user-1".into()), plan: Some("plus".into()), fedramp: false };
    assert_eq!(scene.sources().host().codex_login(), Ok(CodexLogin::ChatGpt(account)));
    scene.write(".codex/auth.json", br#"{"OPENAI_API_KEY":"sk-1"}"#);
    assert_eq!(scene.sources().host().codex_login(), Ok(CodexLogin::ApiKey));
    assert_eq!(scene.sources().current(&CODEX).await, Ok(Secret::from("sk-1")));
    scene.write(".codex/auth.json", br#"{"auth_mode":"agentIdentity","agent_identity":"canary"}"#);
    let error = scene.sources().check(&CODEX).await.unwrap_err();
    assert!(error.message.contains("is of a kind") && error.hint.contains("codex login"), "{error:?}");
}

#[tokio::test]
async fn codex_may_keep_its_login_elsewhere() {
    let mut scene = Scene::new();
    scene.codex = LoginFolder::by(Some(scene.path("moved")));
    scene.write("moved/auth.json", br#"{"OPENAI_API_KEY":"sk-2"}"#);
    assert_eq!(scene.sources().current(&CODEX).await, Ok(Secret::from("sk-2")));
    assert_eq!(LoginFolder::by(Some("relative".into())), LoginFolder::Usual);
}

#[test]
fn a_refresh_token_is_never_used_twice_by_owners_that_race() {
    for round in 0..5 {
        let scene = Arc::new(expiring());
        scene.chatgpt_login("first-of-codex", 60);
        let start = std::sync::Barrier::new(8);
        let outcomes: Vec<_> = std::thread::scope(|threads| {
            let racers: Vec<_> = (0..8)
                .map(|_| {
                    threads.spawn(|| {
                        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                        let sources = scene.sources();
                        start.wait();
                        // Three requests of one bottle at once, beside those of seven other bottles.
                        runtime.block_on(async {
                            tokio::join!(sources.current(&CLAUDE), sources.current(&CLAUDE), sources.current(&CLAUDE))
                        })
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        let one = || Ok(Secret::from("canary-access-1"));
        assert!(outcomes.iter().all(|outcome| *outcome == (one(), one(), one())), "round {round}: {outcomes:?}");
        assert_eq!(scene.endpoint.asked(), 1);
        assert_eq!(scene.endpoint.valid.lock().unwrap().as_deref(), Some("canary-refresh-1"), "the login goes on");
    }
}

#[tokio::test]
async fn a_request_that_is_given_up_does_not_lose_the_answer() {
    let scene = expiring();
    let hold = Arc::new(Semaphore::new(0));
    *scene.endpoint.hold.lock().unwrap() = Some(Arc::clone(&hold));
    let sources = scene.sources();
    let given_up = tokio::spawn({
        let sources = sources.clone();
        async move { sources.current(&CLAUDE).await }
    });
    testkit::wait_until("the token is spent", Duration::from_secs(60), async || scene.endpoint.asked() == 1).await;
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    hold.add_permits(1);
    sources.settle().await;
    assert_eq!(json_of(&scene.path(".claude/.credentials.json"))["claudeAiOauth"]["refreshToken"], "canary-refresh-1");
    assert_eq!(sources.current(&CLAUDE).await, Ok(Secret::from("canary-access-1")));
    assert_eq!(scene.endpoint.asked(), 1);
}

#[test]
fn a_runtime_that_ends_does_not_lose_the_answer() {
    let scene = expiring();
    let hold = Arc::new(Semaphore::new(0));
    *scene.endpoint.hold.lock().unwrap() = Some(Arc::clone(&hold));
    let sources = scene.sources();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let egress = runtime();
    egress.block_on(async {
        tokio::spawn({
            let sources = sources.clone();
            async move { sources.current(&CLAUDE).await }
        });
        testkit::wait_until("the token is spent", Duration::from_secs(60), async || scene.endpoint.asked() == 1).await;
    });
    egress.shutdown_background();
    hold.add_permits(1);
    runtime().block_on(sources.settle());
    assert_eq!(json_of(&scene.path(".claude/.credentials.json"))["claudeAiOauth"]["accessToken"], "canary-access-1");
}

#[tokio::test]
async fn what_claude_code_refreshed_while_it_was_waited_for_counts() {
    let scene = expiring();
    let of_program = scene.path(".claude/.oauth_refresh.lock");
    fs::create_dir(&of_program).unwrap();
    let sources = scene.sources();
    let waiting = tokio::spawn({
        let sources = sources.clone();
        async move { sources.current(&CLAUDE).await }
    });
    let ours = store::Home::new(scene.path(".bot-bottle"));
    testkit::wait_until("it waits for the program", Duration::from_secs(60), async || {
        ours.try_lock("claude-login").unwrap().is_none()
    })
    .await;
    scene.claude_login("of-program", "next-of-program", 3600);
    fs::remove_dir(&of_program).unwrap();
    assert_eq!(waiting.await.unwrap(), Ok(Secret::from("of-program")));
    assert_eq!(scene.endpoint.asked(), 0);
}

#[tokio::test]
async fn a_lock_that_stays_is_not_waited_for_without_end() {
    let mut scene = expiring();
    scene.claude_login("old", "first", -60);
    scene.pace.lock = Duration::ZERO;
    fs::create_dir(scene.path(".claude/.oauth_refresh.lock")).unwrap();
    let error = scene.sources().current(&CLAUDE).await.unwrap_err();
    assert!(error.message.contains("another process"), "{error}");
    assert_eq!(scene.endpoint.asked(), 0);
}

#[tokio::test]
async fn a_401_refreshes_once_and_only_for_the_token_in_use() {
    let scene = Scene::new();
    scene.claude_login("good", "first", 3600);
    scene.endpoint.takes("first");
    let sources = scene.sources();
    let used = sources.current(&CLAUDE).await.unwrap();
    sources.rejected(&CLAUDE, &Secret::from("an older one")).await;
    assert_eq!(scene.endpoint.asked(), 0);
    sources.rejected(&CLAUDE, &used).await;
    let next = sources.current(&CLAUDE).await.unwrap();
    assert_eq!(next, Secret::from("canary-access-1"));
    sources.rejected(&CLAUDE, &used).await;
    sources.rejected(&CLAUDE, &next).await;
    assert_eq!(sources.current(&CLAUDE).await, Ok(next), "an agent that provokes refusals gains nothing");
    assert_eq!(scene.endpoint.asked(), 1);
}

#[tokio::test]
async fn an_ended_login_is_told_with_the_command_that_mends_it_until_there_is_a_new_one() {
    for (status, body) in [
        (400, r#"{"error":"invalid_grant","error_description":"canary"}"#),
        (401, "canary"),
        (400, r#"{"error":{"code":"refresh_token_reused","message":"canary"}}"#),
    ] {
        let mut scene = expiring();
        scene.pace.again = Duration::ZERO;
        scene.claude_login("canary-old", "canary-first", -60);
        scene.endpoint.answers(status, body);
        let sources = scene.sources();
        for _ in 0..3 {
            let error = sources.current(&CLAUDE).await.unwrap_err();
            assert_eq!(error.message, "your Claude login has ended: the provider refused to refresh it");
            assert!(error.hint.starts_with("run `claude`") && error.hint.ends_with("again"), "{error:?}");
            assert_eq!(sources.check(&CLAUDE).await, Err(error.clone()));
            assert!(!format!("{error:?} {sources:?}").contains("canary"));
        }
        assert_eq!(scene.endpoint.asked(), 1, "what was refused is not asked for again");
        scene.claude_login("new", "new-refresh", 3600);
        assert_eq!(sources.current(&CLAUDE).await, Ok(Secret::from("new")));
    }
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_costs_nothing_while_the_token_holds() {
    let scene = expiring();
    *scene.endpoint.instead.lock().unwrap() = Some(Err(Unreachable("connecting to claude.test: timed out".into())));
    let sources = scene.sources();
    assert_eq!(sources.current(&CLAUDE).await, Ok(Secret::from("old")));
    assert_eq!(sources.current(&CLAUDE).await, Ok(Secret::from("old")));
    assert_eq!(scene.endpoint.asked(), 1, "it is not tried for every request");

    scene.claude_login("old", "first", -60);
    for answer in [Ok((500, "canary")), Ok((200, "canary")), Ok((200, r#"{"refresh_token":"canary"}"#)), Err(())] {
        *scene.endpoint.instead.lock().unwrap() = Some(match answer {
            Ok((status, body)) => Ok(TokenAnswer { status, body: body.into() }),
            Err(()) => Err(Unreachable("no way".into())),
        });
        let error = scene.sources().current(&CLAUDE).await.unwrap_err();
        assert!(error.message.starts_with("your Claude login could not be refreshed: "), "{error}");
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[tokio::test]
async fn nothing_is_spent_when_the_answer_could_not_be_saved() {
    if rustix::process::geteuid().is_root() {
        // Root may write everywhere; a folder in the file's place stops it as well.
        let scene = expiring();
        let state = scene.path(".bot-bottle");
        fs::File::create(&state).unwrap();
        scene.claude_login("old", "first", -60);
        assert!(scene.sources().current(&CLAUDE).await.is_err());
        assert_eq!(scene.endpoint.asked(), 0);
        return;
    }
    let scene = expiring();
    scene.claude_login("old", "first", -60);
    fs::set_permissions(scene.path(".claude"), fs::Permissions::from_mode(0o500)).unwrap();
    let error = scene.sources().current(&CLAUDE).await.unwrap_err();
    fs::set_permissions(scene.path(".claude"), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(error.message.contains("could not be saved"), "{error}");
    assert_eq!(scene.endpoint.asked(), 0);
}

#[tokio::test]
async fn a_new_login_of_the_person_is_not_overwritten() {
    let scene = expiring();
    let hold = Arc::new(Semaphore::new(0));
    *scene.endpoint.hold.lock().unwrap() = Some(Arc::clone(&hold));
    let sources = scene.sources();
    let asking = tokio::spawn({
        let sources = sources.clone();
        async move { sources.current(&CLAUDE).await }
    });
    testkit::wait_until("the token is spent", Duration::from_secs(60), async || scene.endpoint.asked() == 1).await;
    scene.claude_login("other-account", "of-other-account", 3600);
    let before = json_of(&scene.path(".claude/.credentials.json"));
    hold.add_permits(1);
    assert_eq!(asking.await.unwrap(), Ok(Secret::from("other-account")));
    assert_eq!(json_of(&scene.path(".claude/.credentials.json")), before);
}

#[tokio::test]
async fn a_link_in_the_home_is_followed_and_one_out_of_it_is_not() {
    let scene = Scene::new();
    let kept = scene.claude_login("old", "first", 60);
    scene.endpoint.takes("first");
    let vault = scene.path("vault.json");
    fs::rename(&kept, &vault).unwrap();
    symlink("../vault.json", &kept).unwrap();
    assert_eq!(scene.sources().current(&CLAUDE).await, Ok(Secret::from("canary-access-1")));
    assert!(fs::symlink_metadata(&kept).unwrap().is_symlink());
    assert_eq!(json_of(&vault)["claudeAiOauth"]["accessToken"], "canary-access-1");

    let outside = Scene::new();
    outside.claude_login("old", "first", 60);
    fs::remove_file(&kept).unwrap();
    symlink(outside.path(".claude/.credentials.json"), &kept).unwrap();
    let error = scene.sources().current(&CLAUDE).await.unwrap_err();
    assert!(error.message.contains("leads out of its folder"), "{error}");
}

#[tokio::test]
async fn a_missing_or_broken_login_is_told_with_the_command_that_mends_it() {
    let scene = Scene::new();
    let sources = scene.sources();
    let told = async |of: &TokenRef| {
        let error = sources.check(of).await.unwrap_err();
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        (error.message, error.hint)
    };
    let (message, hint) = told(&CLAUDE).await;
    assert!(
        message.starts_with("your Claude login is missing: there is no /") && hint.contains("run `claude`"),
        "{message} {hint}"
    );
    let (message, hint) = told(&CODEX).await;
    assert!(message.starts_with("your Codex login is missing") && hint.contains("run `codex login`"), "{message} {hint}");
    for (content, wrong) in [
        ("", "holds none"),
        ("canary{", "no JSON object"),
        ("[]", "no JSON object"),
        (r#"{"mcpOAuth":{"accessToken":"canary"}}"#, "holds none"),
        (r#"{"claudeAiOauth":{"accessToken":"canary\nX: y"}}"#, "more than one line"),
        (r#"{"claudeAiOauth":{"accessToken":"canary","expiresAt":1}}"#, "has expired"),
    ] {
        scene.write(".claude/.credentials.json", content.as_bytes());
        let (message, _) = told(&CLAUDE).await;
        assert!(message.contains(wrong), "{content}: {message}");
    }
    for (content, wrong) in [
        ("{}", "holds none"),
        (r#"{"OPENAI_API_KEY":null,"tokens":null}"#, "holds none"),
        (r#"{"tokens":{"id_token":"canary","access_token":"canary"}}"#, "no JSON Web Token"),
        (&format!(r#"{{"tokens":{{"id_token":"{}","access_token":"canary"}}}}"#, jwt(&json!({}))), "names no account"),
    ] {
        scene.write(".codex/auth.json", content.as_bytes());
        let (message, _) = told(&CODEX).await;
        assert!(message.contains(wrong), "{content}: {message}");
    }
}

#[tokio::test]
async fn tokens_stand_nowhere_but_in_the_login_file() {
    let scene = expiring();
    scene.chatgpt_login("first", 3600);
    let sources = scene.sources();
    let access = sources.current(&CLAUDE).await.unwrap();
    assert!(!format!("{sources:?} {access:?} {:?}", scene.endpoint.requests.lock().unwrap()).contains("canary"));
    let mut folders = vec![scene.home.path().to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).contains("canary") {
                found.push(entry.path());
            }
        }
    }
    assert_eq!(found, [scene.path(".claude/.credentials.json")]);
}
