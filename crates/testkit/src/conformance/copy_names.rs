//! Names and paths of every kind, both ways.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bottle::tree::{MemorySink, Source};
use bottle::{Tree, TreePath, User};

use super::Room;
use super::copy_in::{folder, put};
use super::room::guest;
use crate::probe::Walked;

pub(super) async fn every_name_goes_in_and_comes_out(room: Room) {
    let long = [b'n'; 255];
    let names: Vec<&[u8]> = vec![
        b"two words",
        b" leading and trailing ",
        b"new\nline",
        b"tab\tand\x1b[31mescape\x07",
        "Ünïcödé 日本 \u{202e}".as_bytes(),
        b"\xff\xfe\x80 not UTF-8",
        b"-rf",
        b"--checkpoint-action=exec=sh",
        b"$(id)",
        b"a;b|c&d",
        b"quote'\"`",
        b"back\\slash",
        b"*",
        b"...",
        b"@LongLink",
        &long,
    ];
    let dir = folder();
    let path = |name: &[u8]| PathBuf::from(OsStr::from_bytes(name));
    for name in &names {
        put(dir.path().join(path(name)), name);
        put(dir.path().join("sub").join(path(name)).join(path(name)), name);
    }
    room.copy(&Tree::host(dir.path()), "/home/node/t", User::Node).await.unwrap();
    let arrived = room.walk(User::Node, "/home/node/t").await;
    let mut sink = MemorySink::default();
    room.bottle.cp_out(&guest("/home/node/t"), &mut sink).await.unwrap();
    for name in &names {
        for at in [path(name), Path::new("sub").join(path(name)).join(path(name))] {
            let entry = arrived.get(&at).unwrap_or_else(|| panic!("{} did not arrive", at.display()));
            assert_eq!(entry.content, Walked::fingerprint(name), "{}", at.display());
            assert_eq!(sink.file(&at), Some(*name), "{} did not come out", at.display());
        }
    }
    assert_eq!(arrived.len(), 2 + 3 * names.len());
    assert_eq!(sink.entries().len(), arrived.len());
    // The same names as places of members.
    let mut tree = Tree::new();
    for name in &names {
        tree = tree.with(TreePath::parse(path(name)).unwrap(), Source::File { content: name.to_vec(), mode: 0o644 });
    }
    room.copy(&tree, "/home/node/members", User::Node).await.unwrap();
    assert_eq!(room.walk(User::Node, "/home/node/members").await.len(), names.len() + 1);
    room.close().await;
}

pub(super) async fn deep_paths_go_in_and_come_out(room: Room) {
    let dir = folder();
    let wide: PathBuf = std::iter::repeat_n("d".repeat(250), 14).collect();
    let narrow: PathBuf = std::iter::repeat_n("n", 500).collect();
    for deep in [&wide, &narrow] {
        put(dir.path().join(deep).join("bottom"), "bottom");
    }
    room.copy(&Tree::host(dir.path()), "/home/node/t", User::Node).await.unwrap();
    let arrived = room.walk(User::Node, "/home/node/t").await;
    let mut sink = MemorySink::default();
    room.bottle.cp_out(&guest("/home/node/t"), &mut sink).await.unwrap();
    for deep in [&wide, &narrow] {
        let bottom = deep.join("bottom");
        assert!(arrived.contains_key(&bottom));
        assert_eq!(sink.file(&bottom), Some(&b"bottom"[..]));
    }
    room.close().await;
}
