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
    Traffic::new(Home::new(home), Identity::parse("a-1").unwrap())
}

#[test]
fn records_wait_until_they_are_written_together() {
    let home = tempfile::tempdir().unwrap();
    let traffic = traffic(home.path());
    traffic.record(&passed("/a\u{1b}[2J"));
    traffic.record(&passed("/b"));
    assert!(!traffic.path().exists());
    traffic.flush().unwrap();
    let text = std::fs::read_to_string(traffic.path()).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["path"], "/b");
    assert!(!text.contains('\u{1b}') && !lines[0]["path"].as_str().unwrap().contains('\u{1b}'), "{text}");
    assert!(lines[1].get("failed").is_none());
}

#[test]
fn the_file_is_put_aside_when_it_is_full_and_only_one_older_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let traffic = traffic(home.path());
    let long = "/x".repeat(150);
    for _ in 0..60_000 {
        traffic.record(&passed(&long));
    }
    traffic.flush().unwrap();
    let mut names: Vec<_> = std::fs::read_dir(home.path().join("audit")).unwrap().map(|e| e.unwrap()).collect();
    names.sort_by_key(std::fs::DirEntry::file_name);
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.iter().all(|file| file.metadata().unwrap().len() <= Traffic::MAX));
}

#[test]
fn what_cannot_be_written_waits_and_is_told() {
    let home = tempfile::tempdir().unwrap();
    // A file where the folder should be.
    std::fs::File::create(home.path().join("audit")).unwrap();
    let traffic = traffic(home.path());
    traffic.record(&passed("/a"));
    assert!(traffic.flush().is_err() && traffic.is_broken());
    std::fs::remove_file(home.path().join("audit")).unwrap();
    traffic.flush().unwrap();
    assert!(!traffic.is_broken());
    assert_eq!(std::fs::read_to_string(traffic.path()).unwrap().lines().count(), 1);
}
