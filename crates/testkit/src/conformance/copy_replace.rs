//! Copying in over what stands there, and copies that fail.

use std::fs;
use std::path::Path;

use bottle::tree::{Source, TreeError};
use bottle::{CopyError, Replacing, Tree, User};

use super::Room;
use super::copy_in::{at, folder, host, put, source_error};
use crate::probe::Kind;

fn bytes(content: &str) -> Source {
    Source::File { content: content.as_bytes().to_vec(), mode: 0o644 }
}

pub(super) async fn a_copy_replaces_what_stood_there_as_a_whole(room: Room) {
    let (old, new) = (folder(), folder());
    put(old.path().join("old/file"), "old");
    put(old.path().join("both"), "old");
    put(new.path().join("new/file"), "new");
    put(new.path().join("both"), "new");
    room.copy(&Tree::host(old.path()), "/home/node/t", User::Node).await.unwrap();
    // What the agent put there goes too, however it is closed.
    room.ok(&["mkdir", "/home/node/t/agents"]).await;
    room.ok(&["chmod", "0", "/home/node/t/agents"]).await;
    room.copy(&Tree::host(new.path()), "/home/node/t", User::Node).await.unwrap();
    let arrived = room.walk(User::Node, "/home/node/t").await;
    assert_eq!(arrived.keys().map(|path| path.to_str().unwrap()).collect::<Vec<_>>(), ["", "both", "new", "new/file"]);
    assert_eq!(room.ok(&["read", "/home/node/t/both"]).await, b"new");
    // Neighbours and leavings: nothing but the copy and what was there before.
    let beside = room.walk(User::Node, "/home/node").await;
    let mut here: Vec<_> = beside.keys().filter_map(|path| path.components().next()).map(|part| part.as_os_str()).collect();
    here.dedup();
    assert!(here.iter().all(|name| *name == "t" || !name.to_string_lossy().contains("tmp")), "{here:?}");
    room.close().await;
}

pub(super) async fn kinds_replace_each_other(room: Room) {
    let dir = folder();
    put(dir.path().join("inner"), "x");
    let kind_of = async |path: &str| room.walk(User::Node, path).await[Path::new("")].kind;
    for (tree, kind) in [
        (Tree::file("x", 0o644), Kind::File),
        (Tree::host(dir.path()), Kind::Folder),
        (Tree::file("y", 0o600), Kind::File),
        (Tree::new().with(at(""), Source::Folder { mode: 0o755 }), Kind::Folder),
    ] {
        room.copy(&tree, "/home/node/t", User::Node).await.unwrap();
        assert_eq!(kind_of("/home/node/t").await, kind);
    }
    assert_eq!(room.walk(User::Node, "/home/node/t").await.len(), 1, "the last one is an empty folder");
    room.ok(&["fifo", "/home/node/pipe"]).await;
    room.copy(&Tree::file("z", 0o644), "/home/node/pipe", User::Node).await.unwrap();
    assert_eq!(room.ok(&["read", "/home/node/pipe"]).await, b"z");
    room.close().await;
}

pub(super) async fn a_reader_never_sees_half_a_tree(room: Room) {
    let dir = folder();
    let set = |version: &str| {
        for file in ["first", "last"] {
            put(dir.path().join(file), version);
        }
    };
    // Between `first` and `last` in any order in which a copy may be unpacked.
    for number in 0..300 {
        put(dir.path().join(format!("k{number}")), "filler");
    }
    set("0");
    room.copy(&Tree::host(dir.path()), "/home/node/t", User::Node).await.unwrap();
    let watch = match room.bottle.capabilities().replacing {
        Replacing::AtOnce => "watch",
        Replacing::WithAGap => "watch-with-gaps",
    };
    let mut watching = room.spawn(room.probe(&[watch, "/home/node/t"])).await;
    assert_eq!(watching.line().await, "saw 0");
    for version in (1..20).map(|number| number.to_string()).chain(["end".to_owned()]) {
        set(&version);
        room.copy(&Tree::host(dir.path()), "/home/node/t", User::Node).await.unwrap();
        let seen = watching.line().await;
        if seen.is_empty() {
            let complaint = super::room::ended(&mut watching.stderr).await;
            panic!("at version {version}: {}", String::from_utf8_lossy(&complaint));
        }
        assert_eq!(seen, format!("saw {version}"));
    }
    assert!(watching.end().await.unwrap().success());
    room.close().await;
}

pub(super) async fn a_source_that_disappeared_is_named_and_nothing_changes(room: Room) {
    let dir = folder();
    put(dir.path().join("one/file"), "new");
    put(dir.path().join("two/file"), "new");
    put(dir.path().join("two/sub/file"), "new");
    let old = Tree::new().with(at("one"), bytes("old")).with(at("two"), bytes("old"));
    room.copy(&old, "/home/node/t", User::Node).await.unwrap();
    let tree = Tree::new().with(at("one"), host(dir.path().join("one"))).with(at("two"), host(dir.path().join("two")));
    tree.scan().unwrap();
    let gone = dir.path().join("two");
    fs::remove_dir_all(&gone).unwrap();
    let copied = room.copy(&tree, "/home/node/t", User::Node).await;
    assert!(copied.as_ref().unwrap_err().to_string().contains(gone.to_str().unwrap()), "{copied:?}");
    let error = source_error(copied);
    assert!(matches!(&error, TreeError::Missing { path, .. } if *path == gone), "{error}");
    for member in ["/home/node/t/one", "/home/node/t/two"] {
        assert_eq!(room.ok(&["read", member]).await, b"old", "nothing is replaced when anything fails");
    }
    assert_eq!(room.walk(User::Node, "/home/node/t").await.len(), 3, "and nothing half-done lies about");
    room.close().await;
}

pub(super) async fn one_bad_member_changes_nothing(room: Room) {
    room.copy(&Tree::file("a file, no folder", 0o644), "/home/node/file", User::Node).await.unwrap();
    room.copy(&Tree::file("old", 0o644), "/home/node/t/one", User::Node).await.unwrap();
    let tree =
        Tree::new().with(at("t/one"), bytes("new")).with(at("file/below"), bytes("new")).with(at("t/fresh/three"), bytes("new"));
    let error = room.copy(&tree, "/home/node", User::Node).await.unwrap_err();
    assert!(matches!(&error, CopyError::Guest { path, .. } if path.as_path() == Path::new("/home/node/file/below")), "{error}");
    assert_eq!(room.ok(&["read", "/home/node/t/one"]).await, b"old");
    assert_eq!(room.ok(&["read", "/home/node/file"]).await, b"a file, no folder");
    assert!(!room.is_there(User::Node, "/home/node/t/fresh/three").await);
    room.close().await;
}

/// The agent makes `/home/node/.claude` a link to where it would have root's files written.
pub(super) async fn a_planted_link_on_the_way_is_refused(room: Room) {
    room.ok(&["mkdir", "/tmp/elsewhere"]).await;
    for (target, link, into) in [
        ("/tmp/elsewhere", "/home/node/planted", "/home/node/planted/file"),
        ("/tmp/elsewhere", "/home/node/planted2", "/home/node/planted2/sub/file"),
        ("/opt", "/home/node/planted3", "/home/node/planted3/probe"),
        ("nowhere", "/home/node/planted4", "/home/node/planted4/file"),
    ] {
        room.ok(&["link", target, link]).await;
        for owner in [User::Node, User::Root] {
            let error = room.copy(&Tree::file("x", 0o644), into, owner).await.unwrap_err();
            assert!(matches!(error, CopyError::Guest { .. }), "{error}");
        }
    }
    assert_eq!(room.walk(User::Node, "/tmp/elsewhere").await.len(), 1, "nothing was written through a link");
    assert!(!room.is_there(User::Node, "/home/node/nowhere").await);
    room.close().await;
}

pub(super) async fn a_planted_link_at_the_place_is_replaced_not_followed(room: Room) {
    room.copy(&Tree::file("precious", 0o644), "/home/node/victim", User::Node).await.unwrap();
    room.ok(&["mkdir", "/tmp/elsewhere"]).await;
    let dir = folder();
    put(dir.path().join("file"), "x");
    for (target, link, tree, kind) in [
        ("/home/node/victim", "/home/node/to-file", Tree::file("new", 0o644), Kind::File),
        ("/tmp/elsewhere", "/home/node/to-folder", Tree::host(dir.path()), Kind::Folder),
        ("nothing", "/home/node/dangling", Tree::file("new", 0o644), Kind::File),
    ] {
        room.ok(&["link", target, link]).await;
        room.copy(&tree, link, User::Node).await.unwrap();
        assert_eq!(room.walk(User::Node, link).await[Path::new("")].kind, kind);
    }
    assert_eq!(room.ok(&["read", "/home/node/victim"]).await, b"precious");
    assert_eq!(room.walk(User::Node, "/tmp/elsewhere").await.len(), 1);
    assert!(!room.is_there(User::Node, "/home/node/nothing").await);
    room.close().await;
}
