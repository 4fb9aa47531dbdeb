//! Whatever is mounted below the host's system folders: programs are seen, nothing else is, and no way leads out.
//!
//! The test runs itself once more in a mount namespace of its own, where it mounts what a host may have mounted.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use bottle::{Backend, BottleName, BottleSpec, Exec, Limits, RootFs, User};
use rustix::mount::{MountFlags, mount, mount_bind};

use crate::backend::backend;

const PART: &str = "BOT_BOTTLE_TEST_MOUNTS";

#[test]
#[allow(clippy::disallowed_methods, reason = "the test runs itself")]
fn a_host_with_mounts_below_its_system_folders() {
    if !rustix::process::getuid().is_root() {
        return testkit::require("root", "only root can mount what a host may have mounted");
    }
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "--"]).arg(std::env::current_exe().unwrap());
    command.args(["host_mounts::a_part", "--exact", "--ignored", "--nocapture"]).env(PART, "1");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    if said.contains("no bottles here") {
        return testkit::require("userns", "no bottles here");
    }
    assert!(output.status.success() && said.contains("the part was played"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
#[ignore = "a part of the test beside it, which starts it"]
#[allow(clippy::disallowed_methods, reason = "the test tells its part by a variable")]
async fn a_part() {
    if std::env::var(PART).is_err() {
        return;
    }
    if backend().check().await.is_err() {
        return println!("no bottles here");
    }
    let _listeners = mount_all();
    let remarks = backend().check().await.unwrap().remarks.join("\n");
    assert!(remarks.contains("/opt/big is read-only") && remarks.contains("/opt/big/private is empty"), "{remarks}");
    assert!(!remarks.contains("/opt/self") && !remarks.contains("/opt/big/sub is"), "{remarks}");

    let name = BottleName::parse("host-mounts").unwrap();
    let spec = BottleSpec { name, root: RootFs::Default, tools: Vec::new(), limits: Limits::default() };
    let launched = backend().launch(&spec).await.unwrap();
    for user in [User::Node, User::Root] {
        let output = launched.bottle.exec(Exec::new("python3").args(["-I", "-c", LOOK]).user(user)).await.unwrap();
        assert!(output.status.success(), "as {user}: {}", String::from_utf8_lossy(&output.stderr));
    }
    // Where the folders of the system can be written to, they still can.
    let output = launched.bottle.exec(Exec::new("touch").args(["/opt/a-b/own", "/opt/new"]).user(User::Root)).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    launched.bottle.close().await.unwrap();
    assert!(!Path::new("/opt/a-b/own").exists() && !Path::new("/opt/new").exists());
    println!("\nthe part was played");
}

/// A file system at /opt with others below it, in folders with few and many entries, and what would lead out of a bottle.
fn mount_all() -> Vec<UnixListener> {
    let tmpfs = |at: &str| mount("tmpfs", at, "tmpfs", MountFlags::empty(), Some(c"mode=755")).unwrap();
    let write = |path: &str| {
        fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
        fs::write(path, "shown").unwrap();
    };
    let fifo = |path: &str| {
        let mode = rustix::fs::Mode::from_raw_mode(0o666);
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    };
    tmpfs("/opt");
    for file in ["self/x", "a-b/x", "a/b/x", "big/deep/x", "big/way/folder/x", "big/file", "few/file", "elsewhere/secret"] {
        write(&format!("/opt/{file}"));
    }
    for number in 0..100 {
        write(&format!("/opt/big/many-{number}"));
    }
    for folder in ["a/sub", "big/sub", "big/way/sub", "big/private", "few/private", "few/sub"] {
        fs::create_dir_all(format!("/opt/{folder}")).unwrap();
    }
    let mut listeners = Vec::new();
    for folder in ["big", "big/deep", "big/way", "few", "self"] {
        fifo(&format!("/opt/{folder}/pipe"));
        listeners.push(UnixListener::bind(format!("/opt/{folder}/socket")).unwrap());
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(format!("/opt/{folder}/socket"), mode).unwrap();
        assert!(fs::symlink_metadata(format!("/opt/{folder}/socket")).unwrap().file_type().is_socket());
    }
    for sub in ["a/sub", "big/sub", "big/way/sub", "few/sub"] {
        tmpfs(&format!("/opt/{sub}"));
        write(&format!("/opt/{sub}/x"));
    }
    mount_bind("/opt/self", "/opt/self").unwrap();
    mount_bind("/opt/elsewhere", "/opt/big/private").unwrap();
    mount_bind("/opt/elsewhere", "/opt/few/private").unwrap();
    listeners
}

const LOOK: &str = r#"
import errno, fcntl, os, socket, stat
def read(path):
    with open("/opt/" + path) as file:
        assert file.read() == "shown", path
for path in ["self/x", "a-b/x", "a/b/x", "a/sub/x", "big/deep/x", "big/way/folder/x", "big/way/sub/x", "big/sub/x", "big/file",
             "big/many-7", "few/file", "few/sub/x"]:
    read(path)
for path in ["big/private", "few/private"]:
    assert os.listdir("/opt/" + path) == [], path
for folder in ["big", "big/deep", "big/way", "few", "self"]:
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(f"/opt/{folder}/socket")
        raise SystemExit(f"HOLE: connected to {folder}/socket")
    except OSError as error:
        assert error.errno in (errno.ECONNREFUSED, errno.ENOENT, errno.EACCES), (folder, error)
    try:
        # Without a reader of the host's there is nobody at the other end.
        os.close(os.open(f"/opt/{folder}/pipe", os.O_RDWR | os.O_NONBLOCK))
        assert folder in ("big/deep", "self") and stat.S_ISFIFO(os.stat(f"/opt/{folder}/pipe").st_mode), folder
    except OSError as error:
        assert error.errno in (errno.ENOENT, errno.EACCES, errno.EROFS, errno.EPERM), (folder, error)
"#;
