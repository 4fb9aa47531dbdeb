use std::os::unix::fs::PermissionsExt as _;

use super::{Appended, Audit, Lines, Record, write_whole};
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

/// A disk with so much room; another writer may come in between.
struct Disk {
    content: Vec<u8>,
    room: usize,
    other: &'static [u8],
}

impl Lines for Disk {
    fn write_once(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let fits = line.len().min(self.room - self.content.len());
        self.content.extend(&line[..fits]);
        self.content.extend(self.other);
        Ok(fits)
    }

    fn length(&self) -> std::io::Result<u64> {
        Ok(self.content.len() as u64)
    }

    fn cut(&mut self, length: u64) -> std::io::Result<()> {
        self.content.truncate(usize::try_from(length).unwrap());
        Ok(())
    }
}

#[test]
fn a_line_that_the_disk_has_no_room_for_leaves_no_half() {
    let mut disk = Disk { content: b"one\n".to_vec(), room: 7, other: b"" };
    let error = write_whole(&mut disk, 4, b"two two\n").unwrap_err();
    assert_eq!((error.kind(), &disk.content[..]), (std::io::ErrorKind::StorageFull, &b"one\n"[..]));
    write_whole(&mut disk, 4, b"2\n").unwrap();
    assert_eq!(disk.content, b"one\n2\n");
}

#[test]
fn what_another_writer_appended_is_not_cut_off() {
    let mut disk = Disk { content: b"one\n".to_vec(), room: 7, other: b"other\n" };
    assert!(write_whole(&mut disk, 4, b"two two\n").is_err());
    assert_eq!(disk.content, b"one\ntwoother\n");
}
