//! One bottle wears its gateway out. Another's is not touched by it, and the person still rules the first.

use std::process::{Command, Stdio};

use super::world::{FREE, World};
use crate::scene::{PROGRAM, wait_until};

/// Takes every connection it can get and keeps it, in several processes: heads that never end, bodies that never end, tunnels in
/// which nobody speaks, requests and questions without pause. Goes on until it is ended.
const FLOOD: &str = r#"
import itertools, os, socket, sys
free = sys.argv[1]
HEAD = f"GET http://{free}/ HTTP/1.1\r\nHost: {free}\r\n".encode()
def keep(said):
    kept = []
    try:
        while True:
            kept.append(socket.create_connection(("127.0.0.1", 3128), 600))
            kept[-1].sendall(said)
    except OSError:
        pass
    report()
    while True:
        for one in kept:
            try:
                one.sendall(b"X")
            except OSError:
                pass
def slow_heads(): keep(HEAD + b"X: ")
def silence(): keep(b"")
def tunnels(): keep(f"CONNECT {free}:443 HTTP/1.1\r\nHost: {free}:443\r\n\r\n".encode())
def ask(number, times):
    with socket.create_connection(("127.0.0.1", 3128), 600) as one:
        for _ in range(times):
            one.sendall(f"GET http://{number}.evil.example/ HTTP/1.1\r\nHost: {number}.evil.example\r\n\r\n".encode())
            one.recv(65536)
def requests():
    report()
    for number in itertools.count():
        try:
            ask(number, 100)
        except OSError:
            pass
def bodies():
    report()
    while True:
        try:
            with socket.create_connection(("127.0.0.1", 3128), 600) as one:
                one.sendall(f"POST http://{free}/sink HTTP/1.1\r\nHost: {free}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
                while True:
                    one.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")
        except OSError:
            pass
def questions():
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    report()
    for number in itertools.count():
        label = f"{number:08x}".encode()
        asking.sendto(b"\0\0\1\0\0\1\0\0\0\0\0\0\x08" + label + b"\4evil\7example\0\0\1\0\1", ("127.0.0.1", 53))
read, write = os.pipe()
def report(): os.write(write, b"x")
ask("first", 1)
KINDS = (slow_heads, silence, tunnels, requests, bodies, questions)
for kind in KINDS:
    if os.fork() == 0:
        try:
            kind()
        finally:
            os._exit(1)
for _ in KINDS:
    os.read(read, 1)
print("ready", flush=True)
sys.stdin.read()
"#;

#[test]
fn a_flooded_gateway_starves_nobody_else_and_can_be_stopped() {
    let Some(world) = World::open() else { return };
    // A session that may have few descriptors, so that a flood meets their end at once.
    let mut command = Command::new("sh");
    world.scene.set_up(&mut command);
    let start = format!(
        "ulimit -n 256; exec '{}' start a --headless --yes --label flooded -- /usr/bin/python3 -I -c \"$0\" {FREE}",
        PROGRAM.as_str()
    );
    command.args(["-c", &start, FLOOD]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut flooded = command.spawn().unwrap();
    let mut line = [0; 6];
    let read = std::io::Read::read_exact(flooded.stdout.as_mut().unwrap(), &mut line);
    assert!(read.is_ok() && &line == b"ready\n", "{:?}", flooded.wait_with_output());

    let open = || std::fs::read_dir(format!("/proc/{}/fd", flooded.id())).unwrap().count();
    wait_until("all places of its gateway are taken", || open() > 256 / 4);
    // While it lasts, another bottle is served.
    let honest = format!("for number in 1 2 3 4 5; do curl -sS https://{FREE}/$number; echo; done");
    let ran = world.scene.script(&honest);
    let expected: String = (1..=5).map(|number| format!("hello from GET /{number}\n")).collect();
    assert_eq!((ran.code, ran.stdout), (0, expected), "{}", ran.stderr);
    // Of the session's descriptors some are left, for its own needs.
    assert!(open() < 256 * 3 / 4, "{} of 256 descriptors are open", open());
    // The person looks into the flooded one, sees what is refused, and ends it.
    let ran = world.scene.run(&["exec", "flooded", "--", "sh", "-c", "echo /proc/[0-9]*"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(world.refusals().iter().any(|refusal| refusal == "egress.host GET first.evil.example proxy"));
    assert!(flooded.try_wait().unwrap().is_none(), "the flood goes on");
    let ran = world.scene.run(&["stop", "flooded"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ended = flooded.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(143), "{ended:?}");
    world.scene.assert_nothing_left();
}
