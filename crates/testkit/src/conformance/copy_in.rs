//! Copying in: what arrives.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use bottle::tree::{HostSource, Source, TreeError, Uncopyable};
use bottle::{CopyError, Tree, TreePath, User};
use tempfile::TempDir;

use super::Room;
use crate::probe::{Kind, Walked, pattern};

/// Writes a host file, with the folders above it.
pub(super) fn put(path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    File::create(path).unwrap().write_all(content.as_ref()).unwrap();
}

pub(super) fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    // tempfile makes it 0700, and the mode travels.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    folder
}

pub(super) fn at(path: &str) -> TreePath {
    TreePath::parse(path).unwrap()
}

pub(super) fn host(path: impl AsRef<Path>) -> Source {
    Source::Host { from: HostSource::Named(path.as_ref().to_owned()), uncopyable: Uncopyable::Refuse, exclude: Vec::new() }
}

/// What keeps a copy from the host from happening.
pub(super) fn source_error(copied: Result<(), CopyError>) -> TreeError {
    match copied.unwrap_err() {
        CopyError::Source { source, .. } => source,
        other => panic!("{other}"),
    }
}

pub(super) async fn files_keep_content_mode_and_time(room: Room) {
    let dir = folder();
    let file = dir.path().join("tool");
    for (content, mode) in [(vec![], 0o600), (pattern(5, 1), 0o755), (pattern(6, 511), 0o640), (pattern(7, 100_000), 0o444)] {
        put(&file, &content);
        let handle = File::options().write(true).open(&file).unwrap();
        handle.set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        room.copy(&Tree::host(&file), "/home/node/tool", User::Node).await.unwrap();
        let arrived = &room.walk(User::Node, "/home/node/tool").await[Path::new("")];
        assert_eq!((arrived.kind, arrived.mode, arrived.mtime), (Kind::File, mode, 1_000_000_000));
        assert_eq!(arrived.content, Walked::fingerprint(&content));
        fs::remove_file(&file).unwrap();
    }
    room.copy(&Tree::file("made by us", 0o600), "/home/node/made", User::Node).await.unwrap();
    assert_eq!(room.ok(&["read", "/home/node/made"]).await, b"made by us");
    assert_eq!(room.walk(User::Node, "/home/node/made").await[Path::new("")].mode, 0o600);
    room.close().await;
}

pub(super) async fn trees_arrive_whole_with_empty_folders(room: Room) {
    let dir = folder();
    for (path, content) in [("SKILL.md", "text"), ("scripts/run.sh", "#!/bin/sh"), ("a/b/c/d/e", "deep"), (".hidden/.file", "")] {
        put(dir.path().join(path), content);
    }
    fs::create_dir_all(dir.path().join("empty/emptier")).unwrap();
    fs::set_permissions(dir.path().join("empty"), Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(dir.path().join("scripts/run.sh"), Permissions::from_mode(0o755)).unwrap();
    room.copy(&Tree::host(dir.path()), "/home/node/skill", User::Node).await.unwrap();
    let arrived = room.walk(User::Node, "/home/node/skill").await;
    let shown: Vec<_> = arrived.keys().map(|path| path.to_str().unwrap()).collect();
    let expected = [
        "",
        ".hidden",
        ".hidden/.file",
        "SKILL.md",
        "a",
        "a/b",
        "a/b/c",
        "a/b/c/d",
        "a/b/c/d/e",
        "empty",
        "empty/emptier",
        "scripts",
        "scripts/run.sh",
    ];
    assert_eq!(shown, expected);
    assert_eq!((arrived[Path::new("empty")].kind, arrived[Path::new("empty")].mode), (Kind::Folder, 0o700));
    assert_eq!(arrived[Path::new("scripts/run.sh")].mode, 0o755);
    assert_eq!(arrived[Path::new("a/b/c/d/e")].content, Walked::fingerprint(b"deep"));
    room.close().await;
}

pub(super) async fn the_owner_is_who_was_named(room: Room) {
    let dir = folder();
    put(dir.path().join("folder/file"), "x");
    symlink("file", dir.path().join("folder/link")).unwrap();
    for (owner, into) in [(User::Node, "/home/node/new/tree"), (User::Root, "/opt/new/tree")] {
        room.copy(&Tree::host(dir.path()), into, owner).await.unwrap();
        let above = into.strip_suffix("/tree").unwrap();
        let arrived = room.walk(owner, above).await;
        assert_eq!(arrived.len(), 5, "new, tree, folder, file, link");
        assert!(arrived.values().all(|entry| entry.uid == owner.id()), "{arrived:?}");
    }
    room.close().await;
}

pub(super) async fn set_id_bits_do_not_travel(room: Room) {
    let dir = folder();
    put(dir.path().join("tool"), "x");
    fs::set_permissions(dir.path().join("tool"), Permissions::from_mode(0o6755)).unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o1777)).unwrap();
    for (owner, into) in [(User::Node, "/home/node/t"), (User::Root, "/opt/t")] {
        room.copy(&Tree::host(dir.path()), into, owner).await.unwrap();
        let arrived = room.walk(owner, into).await;
        assert_eq!((arrived[Path::new("tool")].mode, arrived[Path::new("")].mode), (0o755, 0o777));
    }
    room.close().await;
}

pub(super) async fn links_inside_a_tree_stay_links(room: Room) {
    let dir = folder();
    put(dir.path().join("a/file"), "x");
    for (target, link) in
        [("a/file", "to-file"), ("a", "to-folder"), ("../to-file", "a/up"), ("nothing", "dangling"), (".", "self")]
    {
        symlink(target, dir.path().join(link)).unwrap();
    }
    room.copy(&Tree::host(dir.path()), "/home/node/t", User::Node).await.unwrap();
    let arrived = room.walk(User::Node, "/home/node/t").await;
    for (target, link) in
        [("a/file", "to-file"), ("a", "to-folder"), ("../to-file", "a/up"), ("nothing", "dangling"), (".", "self")]
    {
        let entry = &arrived[Path::new(link)];
        assert_eq!((entry.kind, entry.content.as_slice()), (Kind::Link, target.as_bytes()));
    }
    assert_eq!(room.ok(&["read", "/home/node/t/to-folder/up"]).await, b"x");
    room.close().await;
}

pub(super) async fn links_that_lead_out_are_refused(room: Room) {
    let dir = folder();
    put(dir.path().join("file"), "x");
    put(dir.path().join("sub/file"), "x");
    for target in ["/etc/passwd", "..", "../../etc/passwd", "file/../../x"] {
        let link = dir.path().join("sly");
        symlink(target, &link).unwrap();
        let error = source_error(room.copy(&Tree::host(dir.path()), "/home/node/t", User::Node).await);
        assert!(matches!(&error, TreeError::LeadsOut { path, .. } if *path == link), "{target}: {error}");
        assert!(!room.is_there(User::Node, "/home/node/t").await, "nothing half-done stays");
        fs::remove_file(link).unwrap();
    }
    room.close().await;
}

pub(super) async fn links_that_lead_out_can_be_left_out(room: Room) {
    let dir = folder();
    put(dir.path().join("node_modules/x"), "left out by name");
    put(dir.path().join("file"), "x");
    symlink("/etc/passwd", dir.path().join("sly")).unwrap();
    symlink("file", dir.path().join("good")).unwrap();
    let from = HostSource::Named(dir.path().to_owned());
    let source = Source::Host { from, uncopyable: Uncopyable::LeaveOut, exclude: vec!["node_modules".to_owned()] };
    room.copy(&Tree::new().with(TreePath::root(), source), "/home/node/t", User::Node).await.unwrap();
    let arrived = room.walk(User::Node, "/home/node/t").await;
    assert_eq!(arrived.keys().map(|path| path.to_str().unwrap()).collect::<Vec<_>>(), ["", "file", "good"]);
    room.close().await;
}

pub(super) async fn special_files_are_refused_without_waiting(room: Room) {
    let dir = folder();
    put(dir.path().join("file"), "x");
    let (fifo, mode) = (dir.path().join("pipe"), rustix::fs::Mode::from_raw_mode(0o600));
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let error = source_error(room.copy(&Tree::host(dir.path()), "/home/node/t", User::Node).await);
    assert!(matches!(&error, TreeError::Special { path, kind: "FIFO" } if *path == fifo), "{error}");
    assert!(!room.is_there(User::Node, "/home/node/t").await);
    room.close().await;
}

pub(super) async fn several_members_go_in_one_copy(room: Room) {
    let dir = folder();
    put(dir.path().join("one/SKILL.md"), "1");
    put(dir.path().join("two/SKILL.md"), "2");
    let tree = Tree::new()
        .with(at(".claude/skills/one"), host(dir.path().join("one")))
        .with(at(".claude/skills/two"), host(dir.path().join("two")))
        .with(at(".bot-bottle-prompt.txt"), Source::File { content: b"prompt".to_vec(), mode: 0o600 })
        .with(at("work/empty"), Source::Folder { mode: 0o750 });
    room.copy(&tree, "/home/node", User::Node).await.unwrap();
    assert_eq!(room.ok(&["read", "/home/node/.claude/skills/one/SKILL.md"]).await, b"1");
    assert_eq!(room.ok(&["read", "/home/node/.claude/skills/two/SKILL.md"]).await, b"2");
    assert_eq!(room.walk(User::Node, "/home/node/.bot-bottle-prompt.txt").await[Path::new("")].mode, 0o600);
    let empty = room.walk(User::Node, "/home/node/work/empty").await;
    assert_eq!((empty.len(), empty[Path::new("")].mode), (1, 0o750));
    room.copy(&Tree::new(), "/home/node", User::Node).await.expect("an empty copy is none, and no error");
    room.close().await;
}

pub(super) async fn missing_folders_are_made(room: Room) {
    for (owner, above) in [(User::Node, "/home/node/a"), (User::Root, "/opt/a")] {
        room.copy(&Tree::file("x", 0o600), &format!("{above}/b/c/file"), owner).await.unwrap();
        for (path, entry) in room.walk(owner, above).await {
            let expected = if path == Path::new("b/c/file") { (Kind::File, 0o600) } else { (Kind::Folder, 0o755) };
            assert_eq!((entry.kind, entry.mode, entry.uid), (expected.0, expected.1, owner.id()), "{}", path.display());
        }
    }
    room.close().await;
}

pub(super) async fn twenty_thousand_files(room: Room) {
    let dir = folder();
    for number in 0..20_000 {
        put(dir.path().join(format!("{}/{number}", number % 100)), format!("content of {number}"));
    }
    room.copy(&Tree::host(dir.path()), "/home/node/many", User::Node).await.unwrap();
    let arrived = room.walk(User::Node, "/home/node/many").await;
    assert_eq!(arrived.len(), 20_000 + 100 + 1);
    for number in 0..20_000 {
        let entry = &arrived[Path::new(&format!("{}/{number}", number % 100))];
        assert_eq!(entry.content, Walked::fingerprint(format!("content of {number}").as_bytes()));
    }
    room.close().await;
}

pub(super) async fn one_file_of_200_megabytes(room: Room) {
    let dir = folder();
    let content = pattern(8, 200_000_000);
    put(dir.path().join("large"), &content);
    room.copy(&Tree::host(dir.path()), "/home/node/t", User::Node).await.unwrap();
    let arrived = room.walk(User::Node, "/home/node/t").await;
    assert_eq!(arrived[Path::new("large")].content, Walked::fingerprint(&content));
    room.close().await;
}
