//! Names that resemble an allowed one, hold more than a name, or are read differently by others.

use super::trial::Trial;
use crate::origin::Origin;
use crate::scene::{Scene, Setting, exchange, rule};

const MALFORMED: &str = "egress.malformed";
const HOST: &str = "egress.host";

async fn scene(origin: &Origin) -> Scene {
    let rules = vec![rule("a.example", origin.address, |_| {}), rule("*.wild.example", origin.address, |_| {})];
    Setting::new(rules, &origin.roots).start()
}

/// Through CONNECT, an absolute target, and `Host` beside an allowed target.
async fn refused(trial: &mut Trial<'_>, name: &str, code: &str) {
    trial.at_the_proxy(&format!("CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\n\r\n"), code).await;
    let close = "Connection: close\r\n\r\n";
    trial.at_the_proxy(&format!("GET http://{name}/ HTTP/1.1\r\nHost: {name}\r\n{close}"), code).await;
}

#[tokio::test]
async fn suffix_confusion() {
    let origin = Origin::plain().await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    for (name, code) in [
        ("evil-a.example", HOST),
        ("xa.example", HOST),
        ("x.a.example", HOST),
        ("a.example.evil.net", HOST),
        ("a.example.", MALFORMED),
        ("a.example..", MALFORMED),
        (".a.example", MALFORMED),
        ("a-example", HOST),
        ("wild.example", HOST),
        ("evilwild.example", HOST),
        ("evil-wild.example", HOST),
        ("c.wild.example.evil.net", HOST),
        ("c.wild.example.", MALFORMED),
        ("*.wild.example", MALFORMED),
        (".wild.example", MALFORMED),
        ("example", HOST),
    ] {
        let close = "Connection: close\r\n\r\n";
        trial.at_the_proxy(&format!("CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\n\r\n"), code).await;
        trial.at_the_proxy(&format!("GET http://{name}/ HTTP/1.1\r\nHost: {name}\r\n{close}"), code).await;
        if name.split('.').all(|label| !label.is_empty()) {
            assert_eq!(scene.resolve(name).await, None, "{name}");
            assert_eq!(trial.code(name), HOST);
        }
    }
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn names_with_more_in_them_than_a_name() {
    let origin = Origin::plain().await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    for name in [
        "a.example\0",
        "a.example\0.evil.net",
        "evil.net\0a.example",
        "a.example%00",
        "a.example%00.evil.net",
        "a.example%0d%0aHost:evil.net",
        "a.exa\tmple",
        "a.example\t",
        "a.exa mple",
        "a.example%20",
        "a.example\\.evil.net",
        "evil.net\\@a.example",
        "a.example@evil.net",
        "a.example:443@evil.net",
        "user:password@a.example",
        "%61.example",
        "a%2eexample",
        "a.example;evil.net",
        "a.example,evil.net",
        "a.example\u{7f}",
        "a.example:443:80",
        "a.example:+443",
        "a.example:65979",
    ] {
        refused(&mut trial, name, MALFORMED).await;
    }
    assert!(origin.seen().is_empty());
    assert!(!scene.written().contains("password"));
}

#[tokio::test]
async fn a_name_that_splits_the_head() {
    let origin = Origin::plain().await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    for name in
        ["a.example\r\nHost: evil.net", "a.example\nHost: evil.net", "a.example\rHost: evil.net", "evil.net\r\n a.example"]
    {
        let request = format!("GET http://a.example/ HTTP/1.1\r\nHost: {name}\r\n\r\n");
        trial.at_the_proxy(&request, MALFORMED).await;
        trial.at_the_proxy(&format!("CONNECT {name}:443 HTTP/1.1\r\nHost: a.example\r\n\r\n"), MALFORMED).await;
    }
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn punycode_and_full_width_look_alikes() {
    let origin = Origin::plain().await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    for (name, code) in [
        ("а.example", MALFORMED),
        ("ａ.example", MALFORMED),
        ("a\u{3002}example", MALFORMED),
        ("a\u{ff0e}example", MALFORMED),
        ("a.ex\u{ad}ample", MALFORMED),
        ("a.example\u{200b}", MALFORMED),
        ("ⓐ.example", MALFORMED),
        ("a.exampłe", MALFORMED),
        ("xn--80a.example", HOST),
        ("a.xn--xample-2of", HOST),
        ("c.xn--wld-qma.example", HOST),
    ] {
        refused(&mut trial, name, code).await;
    }
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn case_is_folded_before_the_match() {
    let origin = Origin::plain().await;
    let scene = scene(&origin).await;
    for name in ["A.EXAMPLE", "a.Example", "C.wild.EXAMPLE"] {
        let request = format!("GET http://{name}/ HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
        assert!(exchange(scene.proxy(), request.as_bytes()).await.ends_with("hello"), "{name}");
        assert_eq!(origin.seen().last().unwrap().headers["host"], name.to_ascii_lowercase());
    }
    Trial::of(&scene).none("nothing was refused");
}
