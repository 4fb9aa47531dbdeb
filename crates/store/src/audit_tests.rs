use std::os::unix::fs::PermissionsExt as _;

use super::{Appended, Audit, Record};
use crate::{Home, Identity};

fn record(asked: &str) -> Record {
    Record {
        time: jiff::Timestamp::UNIX_EPOCH,
        code: "egress.closed",
        destination: "proxy".to_owned(),
        kind: "http",
        asked: asked.to_owned(),
    }
}

#[test]
fn appends_one_escaped_line_per_record_and_makes_the_file_late() {
    let home = tempfile::tempdir().unwrap();
    let audit = Audit::new(Home::new(home.path()), Identity::parse("a-1").unwrap());
    assert!(!audit.path().exists());
    audit.append(&record("CONNECT a\x1b[2J\n:443")).unwrap();
    assert_eq!(audit.append(&record("GET b")).unwrap(), Appended::Written);
    assert_eq!((audit.count(), audit.unrecorded()), (2, 0));
    let lines = std::fs::read_to_string(audit.path()).unwrap();
    let lines: Vec<_> = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["asked"], "CONNECT a\\u{1b}[2J\\n:443");
    assert_eq!(lines[1]["time"], "1970-01-01T00:00:00Z");
    assert_eq!(std::fs::metadata(audit.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn stops_growing_at_its_bound_and_says_so() {
    let home = tempfile::tempdir().unwrap();
    let audit = Audit::new(Home::new(home.path()), Identity::parse("a-1").unwrap());
    let long = record(&"x".repeat(10_000));
    for _ in 0..(Audit::MAX / 300) {
        audit.append(&long).unwrap();
    }
    let content = std::fs::read_to_string(audit.path()).unwrap();
    assert!(content.len() as u64 <= Audit::MAX + 200, "{}", content.len());
    assert!(content.lines().last().unwrap().contains("audit.full"));
    assert_eq!(audit.count(), Audit::MAX / 300);
    assert_eq!(audit.append(&long).unwrap(), Appended::Full);
    let written = content.lines().count() as u64 - 1;
    assert_eq!(audit.unrecorded(), audit.count() - written);
    assert_eq!(std::fs::read_to_string(audit.path()).unwrap(), content);
}

#[test]
fn never_writes_through_a_planted_link() {
    let home = tempfile::tempdir().unwrap();
    let outside = tempfile::NamedTempFile::new().unwrap();
    std::fs::create_dir(home.path().join("audit")).unwrap();
    let audit = Audit::new(Home::new(home.path()), Identity::parse("a-1").unwrap());
    std::os::unix::fs::symlink(outside.path(), audit.path()).unwrap();
    assert!(audit.append(&record("GET a")).is_err());
    assert_eq!((audit.count(), audit.unrecorded()), (1, 1));
    assert_eq!(std::fs::read(outside.path()).unwrap(), b"");
}

#[test]
fn a_label_used_again_has_room_of_its_own_and_a_line_between() {
    let home = tempfile::tempdir().unwrap();
    let audit = || Audit::new(Home::new(home.path()), Identity::parse("a-1").unwrap());
    let first = audit();
    first.begin().unwrap();
    assert_eq!(std::fs::read(first.path()).unwrap(), b"");
    let long = record(&"x".repeat(10_000));
    while first.append(&long).unwrap() == Appended::Written {}
    let before = std::fs::read_to_string(first.path()).unwrap();
    let second = audit();
    second.begin().unwrap();
    assert_eq!(second.append(&record("GET second")).unwrap(), Appended::Written);
    assert_eq!((second.count(), second.unrecorded()), (1, 0));
    let after = std::fs::read_to_string(second.path()).unwrap();
    let new: Vec<_> = after.strip_prefix(&before).unwrap().lines().collect();
    assert_eq!(new.len(), 2);
    assert!(new[0].contains("session.began") && new[1].contains("GET second"), "{new:?}");
}

#[test]
fn a_record_that_cannot_be_had_is_known_before_anything_is_refused() {
    let home = tempfile::tempdir().unwrap();
    std::fs::File::create(home.path().join("audit")).unwrap();
    let audit = Audit::new(Home::new(home.path()), Identity::parse("a-1").unwrap());
    assert!(audit.begin().unwrap_err().to_string().contains("a link or a file"));
}
