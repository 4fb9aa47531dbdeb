use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::{at, write};
use crate::TreePath;
use crate::tree::{HostFolder, MemoryEntry, MemorySink, SinkError, SinkLimits, TreeSink};

fn file(sink: &mut dyn TreeSink, path: &str, content: &str) -> Result<(), SinkError> {
    sink.begin_file(&at(path), 0o644, content.len() as u64)?;
    sink.write(content.as_bytes())?;
    sink.end_file()
}

#[test]
fn memory_keeps_what_comes_and_takes_nothing_twice() {
    let mut sink = MemorySink::default();
    sink.folder(&TreePath::root(), 0o755).unwrap();
    file(&mut sink, "a", "content").unwrap();
    sink.link(&at("l"), Path::new("/etc")).unwrap();
    assert_eq!(sink.file("a"), Some(&b"content"[..]));
    assert_eq!(sink.entries()[&at("l")], MemoryEntry::Link { target: "/etc".into() });
    assert!(file(&mut sink, "a", "other").unwrap_err().to_string().contains("twice"));
    assert_eq!(sink.file("a"), Some(&b"content"[..]));
}

#[test]
fn claims_are_held_to_what_comes() {
    let mut sink = MemorySink::default();
    sink.begin_file(&at("a"), 0o644, 3).unwrap();
    assert!(sink.write(b"four").is_err());
    let mut sink = MemorySink::default();
    sink.begin_file(&at("a"), 0o644, 3).unwrap();
    sink.write(b"tw").unwrap();
    assert!(sink.end_file().is_err());
    assert!(MemorySink::default().write(b"x").is_err());
    assert!(MemorySink::default().end_file().is_err());
    let mut sink = MemorySink::default();
    sink.begin_file(&at("a"), 0o644, 3).unwrap();
    assert!(sink.folder(&at("b"), 0o755).is_err());
}

#[test]
fn limits_are_the_callers() {
    let mut sink = MemorySink::with_limits(SinkLimits { entries: 2, bytes: 10 });
    file(&mut sink, "a", "12345").unwrap();
    assert!(sink.begin_file(&at("huge"), 0o644, u64::MAX).is_err(), "refused by its claim, before any byte");
    let mut sink = MemorySink::with_limits(SinkLimits { entries: 2, bytes: 10 });
    file(&mut sink, "a", "").unwrap();
    sink.link(&at("b"), Path::new("a")).unwrap();
    assert!(sink.folder(&at("c"), 0o755).is_err());
}

#[test]
fn host_folder_makes_files_folders_and_inner_links() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("out");
    let mut sink = HostFolder::create(&place, SinkLimits::NONE).unwrap();
    sink.folder(&TreePath::root(), 0o755).unwrap();
    sink.folder(&at("closed"), 0o000).unwrap();
    file(&mut sink, "closed/x", "inside").unwrap();
    sink.begin_file(&at("tool"), 0o6755, 0).unwrap();
    sink.end_file().unwrap();
    sink.link(&at("l"), Path::new("closed/x")).unwrap();
    assert_eq!(fs::read(place.join("l")).unwrap(), b"inside");
    let mode = |path| fs::metadata(place.join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("closed"), mode("tool") & 0o7700), (0o700, 0o700));
    assert!(sink.links_left_out().is_empty());
}

#[test]
fn host_folder_takes_a_single_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut sink = HostFolder::create(dir.path().join("single"), SinkLimits::NONE).unwrap();
    file(&mut sink, "", "one").unwrap();
    assert_eq!(fs::read(dir.path().join("single")).unwrap(), b"one");
}

#[test]
fn host_folder_leaves_out_links_that_may_lead_out() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("out");
    let mut sink = HostFolder::create(&place, SinkLimits::NONE).unwrap();
    sink.folder(&TreePath::root(), 0o755).unwrap();
    sink.folder(&at("a"), 0o755).unwrap();
    let outward = ["/etc/passwd", "../..", "../b/../../x", "b/../../../x"];
    for (number, target) in outward.iter().enumerate() {
        sink.link(&at(format!("a/{number}")), Path::new(target)).unwrap();
    }
    assert_eq!(sink.links_left_out().len(), outward.len());
    assert_eq!(fs::read_dir(place.join("a")).unwrap().count(), 0);
}

#[test]
fn host_folder_overwrites_nothing_and_goes_through_no_link() {
    let dir = tempfile::tempdir().unwrap();
    let (place, victim) = (dir.path().join("out"), dir.path().join("victim"));
    fs::create_dir(&victim).unwrap();
    write(victim.join("file"), "precious");
    assert!(HostFolder::create(&victim, SinkLimits::NONE).is_err());
    let mut sink = HostFolder::create(&place, SinkLimits::NONE).unwrap();
    sink.folder(&TreePath::root(), 0o755).unwrap();
    sink.folder(&at("real"), 0o755).unwrap();
    sink.link(&at("inner"), Path::new("real")).unwrap();
    // Through a link the bottle sent, and through one that another process planted.
    symlink(&victim, place.join("planted")).unwrap();
    for path in ["inner/x", "planted/file", "planted/new"] {
        assert!(file(&mut sink, path, "evil").is_err(), "{path}");
    }
    for twice in ["real", "inner", "planted"] {
        assert!(sink.folder(&at(twice), 0o755).is_err(), "{twice}");
        assert!(sink.link(&at(twice), Path::new("real")).is_err(), "{twice}");
    }
    assert!(sink.folder(&at("nowhere/below"), 0o755).is_err());
    assert_eq!(fs::read(victim.join("file")).unwrap(), b"precious");
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 1);
    assert_eq!(fs::read_dir(place.join("real")).unwrap().count(), 0);
}

#[test]
fn a_place_that_appeared_meanwhile_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("out");
    let mut folder = HostFolder::create(&place, SinkLimits::NONE).unwrap();
    let mut single = HostFolder::create(&place, SinkLimits::NONE).unwrap();
    symlink("/nonexistent-target", &place).unwrap();
    assert!(folder.folder(&TreePath::root(), 0o755).is_err());
    assert!(file(&mut single, "", "x").is_err());
    assert!(file(&mut folder, "x", "x").is_err());
}
