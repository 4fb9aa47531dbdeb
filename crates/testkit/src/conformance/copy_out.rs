//! Copying out of a bottle that does not mean well.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use bottle::tree::{HostFolder, MemoryEntry, MemorySink, SinkLimits};
use bottle::{CopyError, Tree, TreePath, User};

use super::Room;
use super::copy_in::{at, folder, put};
use super::room::guest;
use crate::probe::{digest, pattern};

pub(super) async fn what_went_in_comes_out(room: Room) {
    let dir = folder();
    put(dir.path().join("a/b/file"), pattern(9, 300_000));
    put(dir.path().join("tool"), "#!");
    fs::set_permissions(dir.path().join("tool"), Permissions::from_mode(0o750)).unwrap();
    fs::create_dir(dir.path().join("empty")).unwrap();
    symlink("a/b", dir.path().join("link")).unwrap();
    room.copy(&Tree::host(dir.path()), "/home/node/t", User::Node).await.unwrap();
    let mut sink = MemorySink::default();
    room.bottle.cp_out(&guest("/home/node/t"), &mut sink).await.unwrap();
    let entries = sink.into_entries();
    let shown: Vec<String> = entries.keys().map(ToString::to_string).collect();
    assert_eq!(shown, ["", "a", "a/b", "a/b/file", "empty", "link", "tool"]);
    assert_eq!(entries[&at("tool")], MemoryEntry::File { mode: 0o750, content: b"#!".to_vec() });
    assert_eq!(entries[&at("link")], MemoryEntry::Link { target: "a/b".into() });
    assert!(matches!(entries[&TreePath::root()], MemoryEntry::Folder { mode: 0o755 }));
    assert!(matches!(&entries[&at("a/b/file")], MemoryEntry::File { content, .. } if *content == pattern(9, 300_000)));
    room.close().await;
}

pub(super) async fn a_single_file_comes_out(room: Room) {
    room.run(room.probe(&["write", "/home/node/result"]).stdin("the result")).await;
    let mut sink = MemorySink::default();
    room.bottle.cp_out(&guest("/home/node/result"), &mut sink).await.unwrap();
    assert_eq!((sink.entries().len(), sink.file("")), (1, Some(&b"the result"[..])));
    room.close().await;
}

pub(super) async fn missing_things_are_named(room: Room) {
    for missing in ["/home/node/nothing", "/nowhere/at/all"] {
        let error = room.bottle.cp_out(&guest(missing), &mut MemorySink::default()).await.unwrap_err();
        assert!(matches!(&error, CopyError::Guest { path, .. } if path.as_path() == Path::new(missing)), "{error}");
    }
    room.close().await;
}

pub(super) async fn links_come_out_as_links_and_special_files_not_at_all(room: Room) {
    room.ok(&["mkdir", "/home/node/t"]).await;
    room.ok(&["link", "/etc/passwd", "/home/node/t/link"]).await;
    room.ok(&["fifo", "/home/node/t/pipe"]).await;
    let mut sink = MemorySink::default();
    room.bottle.cp_out(&guest("/home/node/t"), &mut sink).await.unwrap();
    let shown: Vec<String> = sink.entries().keys().map(ToString::to_string).collect();
    assert_eq!(shown, ["", "link"]);
    assert_eq!(sink.entries()[&at("link")], MemoryEntry::Link { target: "/etc/passwd".into() });
    // The place itself as a link: handed over, not followed.
    let mut sink = MemorySink::default();
    room.bottle.cp_out(&guest("/home/node/t/link"), &mut sink).await.unwrap();
    assert_eq!(sink.entries()[&TreePath::root()], MemoryEntry::Link { target: "/etc/passwd".into() });
    room.close().await;
}

pub(super) async fn a_sink_that_refuses_ends_the_copy(room: Room) {
    room.ok(&["mkdir", "/home/node/t"]).await;
    for name in ["a", "b", "c"] {
        let file = format!("/home/node/t/{name}");
        room.run(room.probe(&["write", &file]).stdin(pattern(10, 3_000_000))).await;
    }
    for limits in [SinkLimits { entries: 2, bytes: u64::MAX }, SinkLimits { entries: 9, bytes: 7_000_000 }] {
        let mut sink = MemorySink::with_limits(limits);
        let error = room.bottle.cp_out(&guest("/home/node/t"), &mut sink).await.unwrap_err();
        assert!(matches!(error, CopyError::Sink { .. }), "{error}");
    }
    room.ok(&["exit", "0"]).await;
    let mut sink = MemorySink::default();
    room.bottle.cp_out(&guest("/home/node/t"), &mut sink).await.expect("the next copy is not disturbed");
    assert_eq!(sink.entries().len(), 4);
    room.close().await;
}

pub(super) async fn planted_links_do_not_lead_the_host_astray(room: Room) {
    let dir = folder();
    let victim = dir.path().join("victim");
    put(victim.join("file"), "precious");
    room.ok(&["mkdir", "/home/node/t"]).await;
    for (target, link) in
        [(victim.to_str().unwrap(), "absolute"), ("../victim", "up"), ("sub/../../victim", "round"), ("sub", "inside")]
    {
        room.ok(&["link", target, &format!("/home/node/t/{link}")]).await;
    }
    let place = dir.path().join("out");
    let mut sink = HostFolder::create(&place, SinkLimits { entries: 100, bytes: 1 << 20 }).unwrap();
    room.bottle.cp_out(&guest("/home/node/t"), &mut sink).await.unwrap();
    let mut left_out: Vec<String> = sink.links_left_out().iter().map(|(path, _)| path.to_string()).collect();
    left_out.sort_unstable();
    assert_eq!(left_out, ["absolute", "round", "up"]);
    assert_eq!(fs::read_link(place.join("inside")).unwrap(), Path::new("sub"));
    assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
    assert_eq!(fs::read(victim.join("file")).unwrap(), b"precious");
    room.close().await;
}

pub(super) async fn large_files_come_out_whole(room: Room) {
    let content = pattern(11, 50_000_000);
    room.copy(&Tree::file(content.clone(), 0o600), "/home/node/large", User::Node).await.unwrap();
    let mut sink = MemorySink::default();
    room.bottle.cp_out(&guest("/home/node/large"), &mut sink).await.unwrap();
    let came = sink.file("").unwrap();
    assert_eq!((came.len(), digest(came)), (content.len(), digest(&content)));
    room.close().await;
}
