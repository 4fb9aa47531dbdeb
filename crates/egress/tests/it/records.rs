//! What is written down, and what never is.

use policy::LogLevel;

use crate::origin::Origin;
use crate::scene::{Setting, get, over, rule, send};

#[tokio::test]
async fn paths_are_recorded_where_the_log_asks_for_them() {
    let origin = Origin::plain().await;
    for (log, refused, passed) in [
        (LogLevel::Off, "GET evil.example", None),
        (LogLevel::Refusals, "GET evil.example/path", None),
        (LogLevel::Everything, "GET evil.example/path", Some("/path")),
    ] {
        let rules = vec![rule("a.example", origin.address, |_| {})];
        let scene = Setting { log, ..Setting::new(rules, &origin.roots) }.start();
        let mut client = over(scene.proxy()).await;
        send(&mut client, get("http://evil.example/path?canary", "evil.example")).await;
        send(&mut client, get("http://a.example/path?canary", "a.example")).await;
        assert_eq!(scene.only_refusal(), ("egress.host".to_owned(), refused.to_owned()));
        assert_eq!(scene.passed(1).await[0].get("path").and_then(|path| path.as_str()), passed);
        assert!(!scene.written().contains("canary"));
    }
}

#[tokio::test]
async fn what_cannot_be_recorded_does_not_pass() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let mut client = over(scene.proxy()).await;
    assert_eq!(send(&mut client, get("http://a.example/x", "a.example")).await.status, 200);
    scene.passed(1).await;
    // Something else stands where the record is written.
    let path = scene.traffic.path().with_extension("latest.jsonl");
    std::fs::create_dir(&path).unwrap();
    scene.break_traffic();
    let got = send(&mut client, get("http://a.example/x", "a.example")).await;
    assert_eq!((got.status.as_u16(), got.refusal()), (403, "egress.unrecorded"));
    assert_eq!(origin.seen().len(), 1);
}
