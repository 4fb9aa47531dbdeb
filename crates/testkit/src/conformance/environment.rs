//! Variables, working folders, users.

use std::collections::BTreeSet;

use bottle::{Exec, ExecError, GuestPath, Tree, User, Users};

use super::Room;
use super::room::guest;

async fn env_of(room: &Room, exec: Exec) -> BTreeSet<Vec<u8>> {
    let output = room.run(exec.arg("env")).await;
    assert!(output.stdout.ends_with(b"\0"));
    output.stdout[..output.stdout.len() - 1].split(|&byte| byte == 0).map(<[u8]>::to_vec).collect()
}

pub(super) async fn the_environment_is_ours_and_nothing_of_the_hosts(room: Room) {
    for user in [User::Node, User::Root] {
        let exec = Exec::new(Room::PROBE).user(user).env("HOME", "/tmp").env("TWICE", "1").env("TWICE", "2");
        let expected: BTreeSet<Vec<u8>> = bottle::environment(&exec).into_iter().collect();
        assert_eq!(env_of(&room, exec).await, expected);
        assert!(expected.contains(b"TWICE=2".as_slice()) && expected.contains(b"HOME=/tmp".as_slice()));
    }
    room.close().await;
}

pub(super) async fn values_of_variables_are_bytes(room: Room) {
    let exec = Exec::new(Room::PROBE)
        .env("LINES", "a\nb")
        .env("BYTES", *b"\xff\xfe")
        .env("EMPTY", "")
        .env("SHELL_LIKE", "$(id) `id`; =");
    let env = env_of(&room, exec).await;
    for expected in [&b"LINES=a\nb"[..], b"BYTES=\xff\xfe", b"EMPTY=", b"SHELL_LIKE=$(id) `id`; ="] {
        assert!(env.contains(expected), "{}", String::from_utf8_lossy(expected));
    }
    room.close().await;
}

pub(super) async fn a_program_works_in_the_folder_it_was_given(room: Room) {
    let odd = "/tmp/two words\nand more";
    room.ok(&["mkdir", odd]).await;
    for folder in ["/", "/tmp", odd] {
        let output = room.run(room.probe(&["where"]).folder(guest(folder))).await;
        assert_eq!(String::from_utf8_lossy(&output.stdout), folder);
    }
    room.close().await;
}

pub(super) async fn a_missing_folder_is_named(room: Room) {
    for missing in ["/nowhere/at/all", Room::PROBE] {
        let error = room.bottle.exec(room.probe(&["where"]).folder(guest(missing))).await.unwrap_err();
        let named = |folder: &GuestPath| folder.as_path() == std::path::Path::new(missing);
        assert!(matches!(&error, ExecError::Folder { folder, .. } if named(folder)), "{error}");
    }
    room.close().await;
}

pub(super) async fn users_are_who_they_should_be(room: Room) {
    for (user, id, name, home) in [(User::Node, 1000, "node", "/home/node"), (User::Root, 0, "root", "/root")] {
        assert_eq!(room.ok_as(user, &["who"]).await, format!("{id} {id}").into_bytes());
        assert_eq!(room.ok_as(user, &["where"]).await, home.as_bytes(), "the home is where a program starts");
        let env = env_of(&room, Exec::new(Room::PROBE).user(user)).await;
        for expected in [format!("HOME={home}"), format!("USER={name}"), format!("LOGNAME={name}")] {
            assert!(env.contains(expected.as_bytes()), "{expected}");
        }
        let file = format!("{home}/own");
        let written = room.run(room.probe(&["write", &file]).user(user).stdin("mine")).await;
        assert!(written.status.success(), "{user} cannot write to {home}");
        assert_eq!(room.walk(user, &file).await.into_values().next().unwrap().uid, id);
    }
    room.close().await;
}

pub(super) async fn users_cannot_touch_each_others_files(room: Room) {
    room.copy(&Tree::file("root's", 0o600), "/tmp/roots", User::Root).await.unwrap();
    room.copy(&Tree::file("node's", 0o600), "/tmp/nodes", User::Node).await.unwrap();
    assert_eq!(room.ok_as(User::Root, &["read", "/tmp/roots"]).await, b"root's");
    assert_eq!(room.ok_as(User::Node, &["read", "/tmp/nodes"]).await, b"node's");
    // One host id for both: the capabilities say so, and there is nothing to keep them apart.
    if room.bottle.capabilities().users == Users::Separate {
        for (user, path) in [(User::Node, "/tmp/roots"), (User::Root, "/tmp/nodes")] {
            let output = room.run(room.probe(&["read", path]).user(user)).await;
            assert!(!output.status.success() && output.stdout.is_empty(), "{user} read {path}");
        }
        let written = room.run(room.probe(&["write", Room::PROBE]).stdin("replaced")).await;
        assert!(!written.status.success(), "node wrote to root's file");
    }
    room.close().await;
}
