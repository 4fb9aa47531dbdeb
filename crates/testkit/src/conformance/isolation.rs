//! What must not be seen from elsewhere.

use bottle::{Destination, User};
use tokio::io::AsyncWriteExt;

use super::Room;
use super::room::ended;
use crate::canary;

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

pub(super) async fn two_bottles_see_nothing_of_each_other(mut one: Room) {
    let mut other = one.another().await;
    assert_ne!(one.bottle.name(), other.bottle.name());
    // Files.
    for file in ["/tmp/shared", "/home/node/shared", "/var/tmp-shared"] {
        one.copy(&bottle::Tree::file("of the first", 0o644), file, User::Node).await.unwrap();
        assert!(one.is_there(User::Node, file).await && !other.is_there(User::Node, file).await, "{file}");
    }
    // Processes: the mark is on the command line of a program that runs in the first.
    let mark = canary("process");
    let mut marked = one.spawn(one.probe(&["announce", &mark])).await;
    assert_eq!(marked.line().await, mark);
    let own = one.ok(&["cmdlines"]).await;
    assert!(own.is_empty() || contains(&own, &mark), "where processes can be seen at all, the first sees its own");
    for user in [User::Node, User::Root] {
        assert!(!contains(&other.ok_as(user, &["cmdlines"]).await, &mark), "{user} sees the other bottle's processes");
    }
    // The way out.
    let held = other.spawn(other.probe(&["announce", "other", Room::PROXY])).await;
    let (name, _stream) = other.announced().await;
    assert_eq!(name, "other");
    let _own = one.spawn(one.probe(&["announce", "one", Room::PROXY])).await;
    let (name, _stream) = one.announced().await;
    assert_eq!(name, "one", "the other bottle's connection must not arrive here");
    // The end of one is not the end of the other.
    other.close().await;
    drop(held);
    let mut asking = one.spawn(one.probe(&["connect", Room::PROXY, "alive?"])).await;
    let (destination, mut stream) = one.connection().await;
    assert_eq!(destination, Destination::Proxy);
    assert_eq!(ended(&mut stream).await, b"alive?");
    stream.write_all(b"yes").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(asking.rest().await, b"yes");
    one.close().await;
}

/// Any local user may read every command line on the host (`proc_pid_cmdline(5)`).
pub(super) async fn no_secret_is_on_any_command_line(room: Room) {
    let (variable, input, file) = (canary("variable"), canary("input"), canary("file"));
    room.copy(&bottle::Tree::file(file.as_str(), 0o600), "/home/node/secret", User::Node).await.unwrap();
    let mut held = room.spawn(room.probe(&["hold"]).env("TOKEN", variable.as_str())).await;
    assert_eq!(held.line().await, "ready");
    let mut asking = room.spawn(room.probe(&["cat"]).env("TOKEN", variable.as_str())).await;
    asking.stdin.as_mut().unwrap().write_all(format!("{input}\n").as_bytes()).await.unwrap();
    assert_eq!(asking.line().await, input);
    let lines = command_lines_of_the_host();
    let own = std::env::args_os().next().unwrap();
    assert!(contains(&lines, &own.to_string_lossy()), "the scan must find what is there: this test");
    for secret in [&variable, &input, &file] {
        assert!(!contains(&lines, secret), "a secret is on a command line");
    }
    room.close().await;
}

fn command_lines_of_the_host() -> Vec<u8> {
    let processes = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path().join("cmdline"));
    // Some have ended, and the others in /proc are no processes.
    processes.filter_map(|path| std::fs::read(path).ok()).flatten().collect()
}
