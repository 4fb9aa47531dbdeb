//! The relay under attack from inside: what is particular to containers. The rest is in the escape suite.

use std::time::Duration;

use bottle::Backend;
use bottle::{BottleName, BottleSpec, Destination, Limits, RootFs, User};
use testkit::escape::Subject;

use crate::engine::TestBackend;

/// A fresh bottle; `None`, and a reason, where there are none.
async fn bottle(runtime: &str) -> Option<Subject> {
    let backend = TestBackend::on(runtime);
    if let Err(missing) = backend.check().await {
        testkit::require(if runtime == "runsc" { "gvisor" } else { "docker" }, &missing.to_string());
        return None;
    }
    let name = BottleName::parse(&format!("relay-{}", std::process::id())).unwrap();
    let spec = BottleSpec { name, root: RootFs::Default, tools: Vec::new(), limits: Limits::default() };
    Some(Subject::new(backend.launch(&spec).await.unwrap()))
}

/// Where the relay has a container of its own, a bottle has nothing of it.
const NOTHING_OF_IT: &str = r#"
for path in ("/outlet", "/relay", "/run/bot-bottle/outlet", "/run/bot-bottle/relay"):
    absent(path)
held("the helper alone is shown", os.listdir("/run/bot-bottle") == ["helper"])
for process in others():
    held(f"{process} is not the relay", b"relay" not in open(f"/proc/{process}/cmdline", "rb").read())
# Its end of a connection belongs to this network, and is listed by the name that the session called its socket when it made it.
names = [line.split()[-1] for line in open("/proc/net/unix") if "outlet" in line]
held(f"{names} tell nothing of the host", all(name.startswith("/proc/self/fd/") for name in names))
for name in names:
    refused(f"connecting to {name}", lambda: socket.socket(socket.AF_UNIX).connect(name), GONE + (errno.ECONNREFUSED,))
held("nothing else is mounted there", [line.split()[4] for line in open("/proc/self/mountinfo") if "/run/bot-bottle" in line] == ["/run/bot-bottle/helper"])
"#;

/// Where it runs inside, its socket's folder is shown, and is nobody's to change. (The folder above is the bottle's root's: who moves it away
/// has the relay lead nowhere, or to the bottle itself.)
const NOTHING_TO_CHANGE: &str = r#"
here = "/run/bot-bottle"
there = here + "/outlet/outlet.sock"
closed = REFUSED + (errno.EROFS, errno.EBUSY, errno.EADDRINUSE, errno.EXDEV)
for path in (there, here + "/helper", here + "/relay", here + "/outlet"):
    refused(f"removing {path}", lambda: os.remove(path), closed + (errno.EISDIR,))
    refused(f"renaming {path}", lambda: os.rename(path, "/tmp/away"), closed)
    refused(f"opening {path} to all", lambda: os.chmod(path, 0o777), closed)
    refused(f"linking over {path}", lambda: os.symlink("/tmp/mine", path), closed + (errno.EEXIST,))
for path in (here + "/helper", here + "/relay"):
    refused(f"writing {path}", lambda: open(path, "r+b"), closed + (errno.ETXTBSY,))
for path in (there, here + "/outlet/another.sock"):
    refused(f"listening at {path}", lambda: socket.socket(socket.AF_UNIX).bind(path), closed)
relays = [process for process in others() if b"relay" in open(f"/proc/{process}/cmdline", "rb").read().split(b"\0")[0]]
held("the relay runs inside", len(relays) == 1)
for process in relays:
    for number in (signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM):
        refused(f"signal {number}", lambda: os.kill(process, number))
    refused("attaching", lambda: call(NR["ptrace"], 16, process, 0, 0))
    refused("its memory", lambda: os.open(f"/proc/{process}/mem", os.O_RDWR))
"#;

/// Past the relay, straight to its socket: broken words are dropped, and a forged destination is judged like any other.
const FORGED: &str = r#"
def say(words):
    talking = socket.socket(socket.AF_UNIX)
    talking.settimeout(60)
    talking.connect("/run/bot-bottle/outlet/outlet.sock")
    talking.sendall(words)
    talking.shutdown(socket.SHUT_WR)
    try:
        return talking.recv(1)
    except ConnectionResetError:
        return b""
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
for words in (b"", b"GET / HTTP/1.1\r\n\r\n", SIGNATURE, SIGNATURE + b"\x21\x11\xff\xff" + bytes(64), SIGNATURE + b"\x20\0\0\0", b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n"):
    held(f"{words!r} is answered with nothing", say(words) == b"")
forged = SIGNATURE + b"\x21\x11\0\x0c" + bytes((127, 0, 0, 1, 169, 254, 169, 254, 0x30, 0x39, 0, 80))
held("nobody answers", say(forged) == b"")
"#;

async fn nothing_of_the_relay_serves_whom_it_relays(runtime: &str) {
    let Some(mut subject) = bottle(runtime).await else { return };
    let inside = !subject.bottle.capabilities().transparent;
    for user in [User::Node, User::Root] {
        subject.attack_as(user, if inside { NOTHING_TO_CHANGE } else { NOTHING_OF_IT }, &[]).await;
        if inside {
            subject.attack_as(user, FORGED, &[]).await;
            let metadata = Destination::Transparent("169.254.169.254:80".parse().unwrap());
            assert_eq!(subject.arrivals(1).await, [metadata], "the session is told what was said, and judges it");
        }
    }
    assert!(subject.nothing_else_arrived());
    subject.bottle.close().await.unwrap();
}

/// Listens where the relay does, as the very first thing that runs in a bottle, and is not heard.
const FIRST: &str = r#"
def take(address):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as thief:
        thief.bind((address, 3128))
        thief.listen()
for address in ("127.0.0.1", "::ffff:127.0.0.1"):
    refused(f"listening at {address}", lambda: take(address), REFUSED + (errno.EADDRINUSE,))
"#;

async fn nobody_listens_before_the_relay(runtime: &str) {
    for user in [User::Node, User::Root, User::Root] {
        let Some(subject) = bottle(runtime).await else { return };
        // Asked for while the relay is still on its way.
        subject.attack_as(user, FIRST, &[]).await;
        subject.bottle.close().await.unwrap();
    }
}

/// Connections that are held open and say nothing: of all that the relay takes at once, none is the session's for long.
const HELD: &str = r#"
import time
held_open = []
for _ in range(600):
    try:
        held_open.append(socket.create_connection(("127.0.0.1", 3128), 20))
    except OSError:
        pass
tried = len(held_open)
print("held", flush=True)
sys.stdin.read()
"#;

async fn a_flood_of_connections_does_not_stop_the_session(runtime: &str) {
    let Some(subject) = bottle(runtime).await else { return };
    let flood = subject.program(User::Root, HELD, &[]).deadline(Duration::from_secs(60));
    let output = subject.bottle.exec(flood).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    subject.assert_usable().await;
    subject.bottle.close().await.unwrap();
}

macro_rules! on_each_runtime {
    ($($test:ident)*) => {
        mod runc { $(#[tokio::test] async fn $test() { super::$test("runc").await; })* }
        mod runsc { $(#[tokio::test] async fn $test() { super::$test("runsc").await; })* }
    };
}

on_each_runtime! {
    nothing_of_the_relay_serves_whom_it_relays nobody_listens_before_the_relay a_flood_of_connections_does_not_stop_the_session
}
