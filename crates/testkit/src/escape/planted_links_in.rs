//! Plants links, FIFOs and hard links where the host is about to copy something in.

use bottle::{CopyError, GuestPath, Tree, User};

use super::Arena;

const PLANT: &str = r#"
os.chdir(os.path.expanduser("~"))
os.makedirs("there")
open("there/kept", "w").write("kept")
os.symlink("/etc/passwd", "file-link")
os.symlink("there", "folder-link")
os.symlink("/proc/1/root/tmp", "root-link")
os.symlink("nowhere", "dangling")
os.mkfifo("fifo")
os.link("there/kept", "hard")
socket.socket(socket.AF_UNIX).bind("socket")
tried = 1
"#;
const LOOK: &str = r#"
os.chdir("/home/node")
for name in ("file-link", "dangling", "fifo", "hard", "socket"):
    held(f"{name} was replaced, not followed", stat.S_ISREG(os.lstat(name).st_mode) and open(name).read() == "new")
held("the other name of the hard link is untouched", open("there/kept").read() == "kept")
held("nothing came through the folder's link", os.listdir("there") == ["kept"])
held("passwd is untouched", open("/etc/passwd").read().startswith("root:"))
held("a dangling link makes nothing", not os.path.lexists("nowhere"))
held("no stage is left", not any(name.startswith(".bot-bottle") for name in os.listdir(".")))
"#;

/// What stands at a copy's place is replaced itself; a link on the way to it is refused.
pub async fn planted_links_in(arena: &Arena) {
    let subject = arena.bottle().await;
    subject.attack_as(User::Node, PLANT, &[]).await;
    let copy = async |place: &str| {
        let into = GuestPath::parse(format!("/home/node/{place}")).expect("a legal path");
        subject.bottle.cp_in(&Tree::file("new", 0o644), &into, User::Node).await
    };
    for place in ["file-link", "dangling", "fifo", "hard", "socket"] {
        copy(place).await.unwrap_or_else(|error| panic!("{place}: {error}"));
    }
    for place in ["folder-link/new", "root-link/new", "root-link/deep/new"] {
        let refused = copy(place).await;
        assert!(matches!(refused, Err(CopyError::Guest { .. })), "{place}: {refused:?}");
    }
    subject.attack_as(User::Node, LOOK, &[]).await;
}
