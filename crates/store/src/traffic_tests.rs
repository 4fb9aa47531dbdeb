use jiff::Timestamp;

use super::{Passed, Traffic};
use crate::{Home, Identity};

fn passed(path: &str) -> Passed {
    Passed {
        time: Timestamp::UNIX_EPOCH,
        method: "GET".to_owned(),
        to: "https://example.org".to_owned(),
        path: Some(path.to_owned()),
        status: Some(200),
        sent: 0,
        received: 5,
        millis: 7,
        failed: None,
    }
}

fn traffic(home: &std::path::Path) -> Traffic {
    Traffic::begin(Home::new(home), Identity::parse("a-1").unwrap()).unwrap()
}

#[test]
fn records_wait_until_they_are_written_together() {
    let home = tempfile::tempdir().unwrap();
    let traffic = traffic(home.path());
    traffic.record(&passed("/a\u{1b}[2J"));
    traffic.record(&passed("/b"));
    assert_eq!(std::fs::read(traffic.path()).unwrap(), b"");
    traffic.flush().unwrap();
    let text = std::fs::read_to_string(traffic.path()).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["path"], "/b");
    assert!(!text.contains('\u{1b}') && !lines[0]["path"].as_str().unwrap().contains('\u{1b}'), "{text}");
    assert!(lines[1].get("failed").is_none());
}

/// Fills files with records of 300 characters.
fn fill(traffic: &Traffic, records: u32) {
    let long = passed(&"/x".repeat(150));
    (0..records).for_each(|_| traffic.record(&long));
    traffic.flush().unwrap();
}

fn read(home: &std::path::Path, which: &str) -> String {
    std::fs::read_to_string(home.join("audit").join(format!("a-1.traffic{which}.jsonl"))).unwrap()
}

/// Records in the files, and those that lines in them say were dropped.
fn kept_and_told(home: &std::path::Path) -> (u64, u64) {
    let text = read(home, "") + &read(home, ".older") + &read(home, ".latest");
    let values = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    values.fold((0, 0), |(kept, told), value| match value.get("code") {
        None => (kept + 1, told),
        Some(code) if code == "traffic.dropped" => (kept, told + value["count"].as_u64().unwrap()),
        Some(_) => (kept, told),
    })
}

#[test]
fn the_beginning_stays_and_what_is_dropped_later_is_counted_and_told() {
    let home = tempfile::tempdir().unwrap();
    let traffic = traffic(home.path());
    traffic.record(&passed("/first"));
    fill(&traffic, 105_000);
    assert!(read(home.path(), "").lines().next().unwrap().contains("/first"));
    let files = std::fs::read_dir(home.path().join("audit")).unwrap().map(|file| file.unwrap().metadata().unwrap().len());
    let sizes: Vec<_> = files.collect();
    assert!(sizes.len() == 3 && sizes.iter().all(|size| *size <= Traffic::MAX + 200), "{sizes:?}");
    assert!(read(home.path(), ".latest").lines().next().unwrap().contains("traffic.dropped"));
    let (kept, told) = kept_and_told(home.path());
    assert!(told > 0);
    assert_eq!((kept + told, told), (105_001, traffic.dropped()));
}

#[test]
fn a_label_used_again_has_a_beginning_of_its_own_and_loses_nothing_unsaid() {
    let home = tempfile::tempdir().unwrap();
    fill(&traffic(home.path()), 60_000);
    let before = read(home.path(), "");
    let second = traffic(home.path());
    second.record(&passed("/second"));
    second.flush().unwrap();
    let after = read(home.path(), "");
    let new: Vec<_> = after.strip_prefix(&before).unwrap().lines().collect();
    assert!(new.len() == 2 && new[0].contains("session.began") && new[1].contains("/second"), "{new:?}");
    fill(&second, 60_000);
    let (kept, told) = kept_and_told(home.path());
    assert_eq!(kept + told, 120_001);
}

#[test]
fn what_cannot_be_written_waits_and_is_told() {
    let home = tempfile::tempdir().unwrap();
    let traffic = traffic(home.path());
    // A file where the folder should be.
    let audit = home.path().join("audit");
    std::fs::remove_dir_all(&audit).unwrap();
    std::fs::File::create(&audit).unwrap();
    traffic.record(&passed("/a"));
    assert!(traffic.flush().is_err() && traffic.is_broken());
    std::fs::remove_file(&audit).unwrap();
    traffic.flush().unwrap();
    assert!(!traffic.is_broken());
    assert_eq!(std::fs::read_to_string(traffic.path()).unwrap().lines().count(), 1);
}

#[test]
fn no_record_begins_where_none_can_be_written() {
    let begin = |home: &std::path::Path| Traffic::begin(Home::new(home), Identity::parse("a-1").unwrap());
    let home = tempfile::tempdir().unwrap();
    std::fs::File::create(home.path().join("audit")).unwrap();
    assert!(begin(home.path()).is_err());
    let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink(elsewhere.path(), home.path().join("audit")).unwrap();
    assert!(begin(home.path()).is_err());
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}
