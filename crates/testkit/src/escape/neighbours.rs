//! Looks from one bottle for the processes, files, sockets, ports and shared memory of another.

use bottle::{Destination, Stdio, User};

use super::Arena;

const NEIGHBOUR: &str = r#"
mark = sys.argv[1]
open(f"/tmp/{mark}", "w").close()
open(f"/dev/shm/{mark}", "w").close()
open(f"/usr/local/{mark}" if os.getuid() == 0 else f"/home/node/{mark}", "w").close()
abstract = socket.socket(socket.AF_UNIX); abstract.bind("\0" + mark); abstract.listen()
server = socket.create_server(("127.0.0.1", 7777))
shared = libc.shmget(0x626f74, 4096, 0o1666)
queue = libc.msgget(0x626f74, 0o1666)
print("ready", flush=True)
sys.stdin.read()
"#;
const LOOK: &str = r#"
mark = sys.argv[1]
none = (errno.ECONNREFUSED, errno.ENOENT)
for process in others():
    held(f"{process} is not the neighbour's", mark.encode() not in open(f"/proc/{process}/cmdline", "rb").read())
held("no file of the neighbour's", not any(os.path.basename(path) == mark for path in walk()))
refused("its abstract socket", lambda: socket.socket(socket.AF_UNIX).connect("\0" + mark), none)
refused("its port", lambda: socket.create_connection(("127.0.0.1", 7777)), none)
for address in ("0.0.0.0", "127.0.0.2", "::1"):
    refused(f"its port at {address}", lambda: socket.create_connection((address, 7777)), none)
for call_of in ("shmget", "msgget"):
    def get():
        if getattr(libc, call_of)(0x626f74, 0) < 0:
            raise OSError(ctypes.get_errno(), call_of)
    if call_of == "shmget":
        refused("its shared memory", lambda: libc.shmget(0x626f74, 0, 0) >= 0 or (_ for _ in ()).throw(OSError(ctypes.get_errno(), "")), none)
    else:
        refused("its queue", lambda: libc.msgget(0x626f74, 0) >= 0 or (_ for _ in ()).throw(OSError(ctypes.get_errno(), "")), none)
if not OWN_KERNEL:
    held("its queues are not listed", len(open("/proc/sysvipc/msg").read().splitlines()) == 1)
"#;

/// Two bottles at once see nothing of each other.
pub async fn neighbours(arena: &Arena) {
    let (subject, neighbour) = (arena.bottle().await, arena.bottle().await);
    let mark = crate::canary("neighbour");
    let (stdin, typed) = std::io::pipe().expect("a pipe");
    let (mut read, stdout) = std::io::pipe().expect("a pipe");
    let stderr = stdout.try_clone().expect("a second descriptor");
    let streams = Stdio::Streams { stdin: stdin.into(), stdout: stdout.into(), stderr: stderr.into() };
    let running =
        neighbour.bottle.spawn(neighbour.program(User::Node, NEIGHBOUR, &[&mark]), streams).await.expect("the neighbour runs");
    let mut line = [0; 6];
    std::io::Read::read_exact(&mut read, &mut line).expect("a line");
    assert_eq!(&line, b"ready\n");
    // The mark must not be on the looking script's own command line alone: it is left out there.
    subject.attack(LOOK, &[&mark]).await;
    drop(typed);
    running.control.wait().await.expect("it ends");
}

const ASK: &str = r#"
socket.create_connection(("127.0.0.1", 3128), 20).close()
tried += 1
if TRANSPARENT:
    socket.create_connection(("198.18.0.5", 443), 20).close()
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"name", ("127.0.0.53", 53))
    tried += 2
"#;

/// What leaves one bottle arrives at its own outlet, though the addresses are the same in all of them.
pub async fn neighbours_outlets(arena: &Arena) {
    let (mut subject, mut neighbour) = (arena.bottle().await, arena.bottle().await);
    let asked = if arena.capabilities().transparent { 3 } else { 1 };
    subject.attack_as(User::Node, ASK, &[]).await;
    let arrived = subject.arrivals(asked).await;
    assert!(arrived.contains(&Destination::Proxy), "{arrived:?}");
    assert!(neighbour.nothing_else_arrived());
    neighbour.attack_as(User::Node, ASK, &[]).await;
    assert_eq!(neighbour.arrivals(asked).await.len(), asked);
    assert!(neighbour.nothing_else_arrived() && subject.nothing_else_arrived());
}
