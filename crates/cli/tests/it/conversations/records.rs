use std::process::{Child, Stdio};

use serde_json::Value;
use testkit::model_api::ModelApi;

use super::pays::Pays;
use super::script::FORBIDDEN;
use super::talk::SESSION;
use crate::scene::{Ran, Scene};

/// `logs --follow`, from the middle of a session to its end.
pub struct Follower(Child);

impl Follower {
    pub fn start(scene: &Scene) -> Self {
        let mut command = scene.command(&["logs", SESSION, "--egress", "--follow", "--json"]);
        Self(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// What it has shown, once the session has ended.
    pub fn end(self) -> Vec<Value> {
        let ran = Ran::from(&self.0.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        lines(&ran.stdout)
    }
}

/// The record of an ended session tells exactly what arrived at the model, and what was refused, each once.
pub fn assert_true(scene: &Scene, pays: Pays, model: &ModelApi, followed: Vec<Value>) {
    let all = lines(&scene.run(&["logs", SESSION, "--egress", "--json"]).stdout);
    assert_eq!(sorted(&followed), sorted(&all), "whoever follows sees the same");
    let (passed, refused): (Vec<&Value>, Vec<&Value>) = all.iter().partition(|record| record["verdict"] == "allow");
    assert_passed(pays, model, &passed);
    // On a terminal, programs try a few things of their own.
    let account = format!("POST {}{}", pays.host(), pays.account());
    let expected = [
        ("egress.host", forbidden()),
        ("egress.foreign_credential", foreign(pays)),
        // What else the credential opens.
        ("egress.request", account),
    ];
    for (code, asked) in expected {
        let found = refused.iter().filter(|record| record["code"] == code && record["asked"] == asked);
        assert_eq!(found.count(), 1, "{code} {asked}: {refused:#?}");
    }
    assert_text(&scene.run(&["logs", SESSION, "--egress"]).stdout, pays, all.len());
}

/// Every request with where it went and how many bytes it had.
fn assert_passed(pays: Pays, model: &ModelApi, passed: &[&Value]) {
    let number = |record: &Value, name: &str| record[name].as_u64().unwrap();
    let is_upgraded = |record: &&&Value| record["status"] == 101;
    for record in passed {
        let to = format!("https://{}", pays.host());
        assert_eq!((record["to"].as_str(), record.get("failed")), (Some(to.as_str()), None), "{record}");
        assert!(record["millis"].is_u64() && record["time"].is_string(), "{record}");
        // The model says no more than that it has no WebSockets.
        assert!(number(record, "received") > 0 || record["status"] == 426, "{record}");
    }
    // A WebSocket brings messages, and what they are wrapped in.
    let messages: usize = model.messages().iter().map(String::len).sum();
    let upgraded: u64 = passed.iter().filter(is_upgraded).map(|record| number(record, "sent")).sum();
    assert!(upgraded >= messages as u64 && (upgraded == 0) == (messages == 0), "{upgraded} {messages}");

    let requests = model.origin().requests();
    let asked = requests.iter().map(|request| {
        let whole = messages == 0 || !request.headers.contains_key("upgrade");
        (request.method.to_string(), request.uri.path().to_owned(), whole.then_some(request.body.len))
    });
    let recorded = passed.iter().map(|record| {
        let text = |name: &str| record[name].as_str().unwrap().to_owned();
        (text("method"), text("path"), (!is_upgraded(&record)).then(|| number(record, "sent")))
    });
    let (mut asked, mut recorded): (Vec<_>, Vec<_>) = (asked.collect(), recorded.collect());
    asked.sort();
    recorded.sort();
    assert_eq!(asked, recorded);
}

/// The same for people: one line each.
fn assert_text(text: &str, pays: Pays, count: usize) {
    assert_eq!(text.lines().count(), count, "{text}");
    assert!(text.contains(&format!("  refused  {}  (egress.host, towards proxy)\n", forbidden())), "{text}");
    let model = format!("https://{}{}", pays.host(), pays.path());
    let mut lines = text.lines().filter(|line| line.contains("  allowed  ") && line.contains(&model));
    assert!(lines.all(|line| line.contains("  sent ") && line.contains(", received ") && line.ends_with(" ms")), "{text}");
}

fn forbidden() -> String {
    format!("CONNECT {FORBIDDEN}:443")
}

fn foreign(pays: Pays) -> String {
    format!("POST {}{}", pays.host(), pays.path())
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sorted(records: &[Value]) -> Vec<String> {
    let mut lines: Vec<String> = records.iter().map(Value::to_string).collect();
    lines.sort();
    lines
}
