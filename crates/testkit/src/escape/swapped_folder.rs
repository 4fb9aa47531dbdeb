//! Swaps the folder above a copy's place for a link to `/etc`, again and again, while the host copies.

use bottle::{CopyError, GuestPath, Stdio, Tree, User};

use super::Arena;

const SWAP: &str = r#"
import select
os.chdir("/home/node")
os.mkdir("real")
os.symlink("/etc", "link")
print("swapping", flush=True)
while not select.select([0], [], [], 0)[0]:
    # RENAME_EXCHANGE: the name is always there, as a folder or as a link.
    libc.renameat2(-100, b"real", -100, b"link", 2)
tried = 1
"#;
const LOOK: &str = r#"
held("nothing came into /etc", not any(name.startswith(("raced", ".bot-bottle")) for name in os.listdir("/etc")))
held("nothing came into the root", not any(name.startswith(("raced", ".bot-bottle")) for name in os.listdir("/")))
"#;

/// A copy lands in the folder or is refused; never behind the link.
pub async fn swapped_folder(arena: &Arena) {
    let subject = arena.bottle().await;
    let (stdin, typed) = std::io::pipe().expect("a pipe");
    let (mut read, stdout) = std::io::pipe().expect("a pipe");
    let stderr = stdout.try_clone().expect("a second descriptor");
    let streams = Stdio::Streams { stdin: stdin.into(), stdout: stdout.into(), stderr: stderr.into() };
    let swapper = subject.bottle.spawn(subject.program(User::Node, SWAP, &[]), streams).await.expect("the swapper runs");
    let mut line = [0; 9];
    std::io::Read::read_exact(&mut read, &mut line).expect("its first line");
    for number in 0..100 {
        let into = GuestPath::parse(format!("/home/node/real/raced-{number}")).expect("a legal path");
        match subject.bottle.cp_in(&Tree::file("raced", 0o644), &into, User::Node).await {
            Ok(()) | Err(CopyError::Guest { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    drop(typed);
    assert!(swapper.control.wait().await.expect("the swapper ends").success());
    subject.attack_as(User::Root, LOOK, &[]).await;
}
