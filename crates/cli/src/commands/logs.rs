use std::time::Duration;

use serde_json::Value;
use session::Interrupts;
use store::{Entry, Home, Identity, Journal, Liveness};
use tokio::time::sleep;

use super::{identity, with_runtime};
use crate::args::Logs;
use crate::failure::Failure;
use crate::host_env::HostEnvironment;
use crate::talk::{self, Reader};

/// What only a line has that says something of the record itself: that it is full, that something was dropped from it.
const NOTE: &str = "hint";
/// How often a session that runs is looked at. What passes is written about every tenth of a second.
const PACE: Duration = Duration::from_millis(200);

/// `logs IDENTITY`: every request of a session with its verdict, also after its end.
pub fn run(args: &Logs, host: &HostEnvironment) -> Result<u8, Failure> {
    let home = Home::new(host.bot_bottle_home()?);
    let identity = identity(&args.identity)?;
    let mut journal = Journal::open(home.clone(), identity.clone()).map_err(|error| match error {
        unknown @ store::StoreError::Unknown { .. } => {
            Failure::from(unknown).hint("'bot-bottle list active' shows what runs; what has ended is in BOT_BOTTLE_HOME/audit")
        }
        other => Failure::from(other),
    })?;
    if !args.follow {
        show(&journal.news()?, args.json)?;
        return Ok(0);
    }
    with_runtime(async {
        let mut interrupts = Interrupts::install()?;
        loop {
            // Looked at before reading: what is written last is read.
            let lives = lives(&home, &identity)?;
            let reader = show(&journal.news()?, args.json)?;
            if !lives || reader == Reader::Gone {
                return Ok(0);
            }
            tokio::select! {
                () = sleep(PACE) => {}
                caught = interrupts.next() => return Ok(caught.code()),
            }
        }
    })
}

fn lives(home: &Home, identity: &Identity) -> Result<bool, Failure> {
    Ok(home.sessions()?.iter().any(|session| session.identity == *identity && session.liveness != Liveness::Dead))
}

fn show(entries: &[Entry], json: bool) -> Result<Reader, Failure> {
    let line = |entry: &Entry| if json { as_json(entry) } else { as_text(entry) } + "\n";
    let text: String = entries.iter().map(line).collect();
    if text.is_empty() { Ok(Reader::There) } else { talk::data(&text) }
}

/// The record as it was written, and whether it passed.
fn as_json(entry: &Entry) -> String {
    let mut value = entry.value.clone();
    if let Value::Object(fields) = &mut value
        && !fields.contains_key(NOTE)
    {
        let verdict = if entry.passed { "allow" } else { "refuse" };
        fields.insert("verdict".to_owned(), Value::from(verdict));
    }
    value.to_string()
}

/// `2026-11-23T12:03:44Z  allowed 200  GET https://api.example.org  sent 12, received 1.2 KiB  34 ms`
fn as_text(entry: &Entry) -> String {
    let text = |name: &str| entry.value.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| entry.value.get(name).and_then(Value::as_u64);
    let time = entry.time.strftime("%Y-%m-%dT%H:%M:%SZ");
    if !text(NOTE).is_empty() {
        let count = number("count").map(|count| format!("{count}: ")).unwrap_or_default();
        return format!("{time}  note  {count}{}  ({})", text(NOTE), text("code"));
    }
    if !entry.passed {
        let asked = if text("asked").is_empty() { text("kind") } else { text("asked") };
        return format!("{time}  refused  {asked}  ({}, towards {})", text("code"), text("destination"));
    }
    let status = match (number("status"), text("failed")) {
        (Some(status), "") => status.to_string(),
        (Some(status), failed) => format!("{status} {failed}"),
        (None, failed) => failed.to_owned(),
    };
    let (sent, received) = (crate::preflight::bytes(number("sent").unwrap_or(0)), number("received").unwrap_or(0));
    let received = crate::preflight::bytes(received);
    let millis = number("millis").unwrap_or(0);
    format!(
        "{time}  allowed  {} {}{}  {status}  sent {sent}, received {received}  {millis} ms",
        text("method"),
        text("to"),
        text("path")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use store::Entry;

    use super::{as_json, as_text};

    fn entry(passed: bool, value: serde_json::Value) -> Entry {
        Entry { time: jiff::Timestamp::UNIX_EPOCH, passed, value }
    }

    #[test]
    fn one_line_for_each() {
        let passed = entry(
            true,
            json!({"method": "GET", "to": "https://a.example", "path": "/x", "status": 200, "sent": 0, "received": 1536, "millis": 7}),
        );
        assert_eq!(
            as_text(&passed),
            "1970-01-01T00:00:00Z  allowed  GET https://a.example/x  200  sent 0 bytes, received 1.5 KiB  7 ms"
        );
        let refused =
            entry(false, json!({"code": "egress.host", "destination": "proxy", "kind": "http", "asked": "CONNECT evil:443"}));
        assert_eq!(as_text(&refused), "1970-01-01T00:00:00Z  refused  CONNECT evil:443  (egress.host, towards proxy)");
        assert!(as_json(&refused).contains("\"verdict\":\"refuse\""));
        let dropped = entry(true, json!({"code": "traffic.dropped", "count": 3, "hint": "records were dropped"}));
        assert_eq!(as_text(&dropped), "1970-01-01T00:00:00Z  note  3: records were dropped  (traffic.dropped)");
        assert!(!as_json(&dropped).contains("verdict"));
    }
}
