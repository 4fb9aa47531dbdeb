use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use tar::EntryType;

use super::{at, host, names, packed, write};
use crate::tree::{Census, LeftOut, Source, Tree, TreeError, TreePath, Uncopyable};

#[test]
fn members_are_numbered_and_their_content_is_sorted_with_parents_first() {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["b/empty", "a"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    for file in ["z", "b/2", "b/1", "a/x", "c"] {
        write(dir.path().join(file), file);
    }
    let tree = Tree::file("hello", 0o640)
        .with(at("skills/one"), host(dir.path(), Uncopyable::Refuse, &[]))
        .with(at("new"), Source::Folder { mode: 0o750 })
        .with(at("single"), host(&dir.path().join("c"), Uncopyable::Refuse, &[]));
    let seen = packed(&tree).unwrap();
    let expected = ["0", "1", "1/c", "1/z", "1/a", "1/a/x", "1/b", "1/b/1", "1/b/2", "1/b/empty", "2", "3"];
    assert_eq!(names(&seen), expected);
    assert_eq!((seen[0].content.as_slice(), seen[0].mode), (b"hello".as_slice(), 0o640));
    assert_eq!((seen[10].kind, seen[10].mode), (EntryType::Directory, 0o750));
    assert_eq!(seen[11].content, b"c");
    assert_eq!(seen[8].content, b"b/2");
    assert_eq!(
        tree.scan().unwrap(),
        Census { files: 7, folders: 5, links: 0, left_out: LeftOut::default(), bytes: 5 + 1 + 1 + 3 + 3 + 3 + 1 }
    );
}

#[test]
fn every_name_travels() {
    let dir = tempfile::tempdir().unwrap();
    let odd: Vec<&[u8]> =
        vec![b"with space", b"new\nline", b"\xff\xfe not UTF-8", "Ünïcödé 日本".as_bytes(), b"-rf", b"back\\slash", b"* ? [a]"];
    let long = [b'n'; 255];
    let exact = [b'e'; 98]; // "0/" and this fill the header's field to the last byte
    for name in odd.iter().copied().chain([&long[..], &exact[..]]) {
        write(dir.path().join(OsStr::from_bytes(name)), name);
    }
    let deep = (0..14).fold(dir.path().to_owned(), |path, _| path.join("d".repeat(250)));
    fs::create_dir_all(&deep).unwrap();
    write(deep.join("bottom"), "bottom");
    symlink("t/".repeat(300), dir.path().join("long link")).unwrap();
    let seen = packed(&Tree::host(dir.path())).unwrap();
    for name in odd.iter().copied().chain([&long[..], &exact[..]]) {
        let path = [b"0/", name].concat();
        let entry = seen.iter().find(|entry| entry.name == path).unwrap();
        assert_eq!(entry.content, name);
    }
    assert!(seen.iter().any(|entry| entry.name.ends_with(b"/bottom") && entry.name.len() > 3500));
    assert!(seen.iter().any(|entry| entry.target.as_deref() == Some(Path::new(&"t/".repeat(300)))));
}

#[test]
fn modes_and_times_are_kept_but_set_id_and_sticky_bits_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let tool = dir.path().join("tool");
    write(&tool, "#!");
    let file = fs::File::options().write(true).open(&tool).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_234_567_890)).unwrap();
    fs::set_permissions(&tool, Permissions::from_mode(0o6755)).unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o1777)).unwrap();
    let seen = packed(&Tree::host(dir.path())).unwrap();
    assert_eq!((seen[0].mode, seen[1].mode, seen[1].mtime), (0o777, 0o755, 1_234_567_890));
}

#[test]
fn sizes_around_every_buffer_border_arrive_whole() {
    let dir = tempfile::tempdir().unwrap();
    let sizes = [
        0, 1, 511, 512, 513, 15_871, 15_872, 16_383, 16_384, 31_232, 32_767, 32_768, 65_535, 65_536, 65_537, 261_000, 262_144,
        262_145, 1_000_003,
    ];
    for size in sizes {
        let content: Vec<u8> = (0..size).map(|byte| (byte % 251) as u8).collect();
        write(dir.path().join(format!("{size:07}")), content);
    }
    let seen = packed(&Tree::host(dir.path())).unwrap();
    for (entry, size) in seen[1..].iter().zip(sizes) {
        assert_eq!(entry.content.len(), size);
        assert!(entry.content.iter().enumerate().all(|(i, &byte)| byte == (i % 251) as u8), "{size}");
    }
}

#[test]
fn links_stay_links_and_outward_ones_are_refused_or_left_out() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("a/b")).unwrap();
    symlink("..", dir.path().join("a/b/up")).unwrap();
    symlink("b/up/b", dir.path().join("a/round")).unwrap();
    symlink("a/../a", dir.path().join("again")).unwrap();
    symlink("nothing", dir.path().join("dangling")).unwrap();
    let seen = packed(&Tree::host(dir.path())).unwrap();
    assert_eq!(seen.iter().filter(|entry| entry.kind == EntryType::Symlink).count(), 4);
    // By its text it stays inside; the kernel follows a/b/up first and leaves.
    for sly in ["../../etc", "/etc/passwd", "a/b/up/../../x"] {
        let link = dir.path().join("sly");
        symlink(sly, &link).unwrap();
        let tree = Tree::host(dir.path());
        for error in [tree.scan().unwrap_err(), tree.pack(&mut Vec::new()).unwrap_err()] {
            assert!(
                matches!(&error, TreeError::LeadsOut { path, target, .. } if *path == link && target == Path::new(sly)),
                "{error}"
            );
        }
        let tree = Tree::new().with(TreePath::root(), host(dir.path(), Uncopyable::LeaveOut, &[]));
        assert_eq!(tree.scan().unwrap().left_out, LeftOut { count: 1, first: vec!["sly".into()] });
        assert!(!names(&packed(&tree).unwrap()).contains(&"0/sly".to_owned()));
        fs::remove_file(link).unwrap();
    }
}

#[test]
fn the_member_itself_may_be_reached_through_links() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("real")).unwrap();
    write(dir.path().join("real/file"), "x");
    symlink("real", dir.path().join("folder")).unwrap();
    symlink("real/file", dir.path().join("single")).unwrap();
    assert_eq!(names(&packed(&Tree::host(dir.path().join("folder"))).unwrap()), ["0", "0/file"]);
    assert_eq!(packed(&Tree::host(dir.path().join("single"))).unwrap()[0].content, b"x");
}

#[test]
fn excluded_names_are_left_out_wherever_they_stand() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("src/node_modules/x")).unwrap();
    write(dir.path().join("src/.env"), "s");
    write(dir.path().join("src/env"), "s");
    let tree = Tree::new().with(TreePath::root(), host(dir.path(), Uncopyable::Refuse, &["node_modules", ".env"]));
    assert_eq!(names(&packed(&tree).unwrap()), ["0", "0/src", "0/src/env"]);
}

#[test]
fn excluded_paths_are_left_out_at_their_own_place_alone() {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["target/debug", "web/target/debug", "target/debugger"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
        write(dir.path().join(folder).join("x"), "s");
    }
    let tree = |exclude: &[&str]| Tree::new().with(TreePath::root(), host(dir.path(), Uncopyable::Refuse, exclude));
    let seen = names(&packed(&tree(&["target/debug", "web/target"])).unwrap());
    assert_eq!(seen, ["0", "0/target", "0/target/debugger", "0/target/debugger/x", "0/web"]);
    let seen = names(&packed(&tree(&["debug/x", "et/debug", "target/debugger/x"])).unwrap());
    let all = ["0", "0/target", "0/target/debug", "0/target/debug/x", "0/target/debugger"];
    assert_eq!(seen, [&all[..], &["0/web", "0/web/target", "0/web/target/debug", "0/web/target/debug/x"]].concat());
}

#[test]
fn links_of_our_making_lead_where_we_say() {
    let target = format!("/{}", "long/".repeat(60));
    let tree = ["/usr/bin/x", "../a b\n", &target]
        .iter()
        .enumerate()
        .fold(Tree::new(), |tree, (number, target)| tree.with(at(number.to_string()), Source::Link { target: target.into() }));
    let seen = packed(&tree).unwrap();
    let targets: Vec<_> = seen.iter().map(|entry| (entry.kind, entry.target.as_deref().unwrap().to_str().unwrap())).collect();
    assert_eq!(targets, ["/usr/bin/x", "../a b\n", &target].map(|target| (EntryType::Symlink, target)));
    assert_eq!(tree.scan().unwrap(), Census { links: 3, ..Census::default() });
}

#[test]
fn hard_links_become_files_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path().join("a"), "same");
    fs::hard_link(dir.path().join("a"), dir.path().join("b")).unwrap();
    let seen = packed(&Tree::host(dir.path())).unwrap();
    assert!(seen[1..].iter().all(|entry| entry.kind == EntryType::Regular && entry.content == b"same"));
}
