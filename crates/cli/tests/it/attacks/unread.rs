//! A bottle asks for much and reads none of it: what its session keeps for it is bounded, whatever the bottle's own limits are.

use std::process::{Child, Stdio};

use super::world::{FREE, World};

/// Asks over many connections and reads no answer, then lets somebody else in the bottle read a long one to its end.
const CLIENT: &str = r#"
import socket, ssl, struct, sys, threading
free, kind, connections, streams = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
def literal(name, value): return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
def frame(kind, flags, stream, payload): return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload
def head(method, path): return b"".join(literal(*field) for field in ((":method", method), (":scheme", "https"), (":authority", free), (":path", path)))
def tunnel(protocol, buffer):
    one = socket.create_connection(("127.0.0.1", 3128), 600)
    if buffer: one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    one.sendall(f"CONNECT {free}:443 HTTP/1.1\r\nHost: {free}:443\r\n\r\n".encode())
    answer = one.recv(500)
    if b" 200 " not in answer: return answer
    context = ssl.create_default_context()
    context.set_alpn_protocols([protocol])
    return context.wrap_socket(one, server_hostname=free)
WIDE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, struct.pack(">HI", 4, 0x7fffffff)) + frame(8, 0, 0, struct.pack(">I", 0x7fffffff - 65535))
def http2():
    one = tunnel("h2", 4096)
    if isinstance(one, bytes): return socket.socket()
    one.sendall(WIDE + b"".join(frame(1, 5, 1 + 2 * number, head("GET", "/bytes/8000000")) for number in range(streams)))
    return one
def http1():
    one = tunnel("http/1.1", 4096)
    one.sendall(f"GET /bytes/80000000 HTTP/1.1\r\nHost: {free}\r\n\r\n".encode())
    return one
def pieces():
    # Each piece of an echo's body is one byte, in a frame of its own.
    one = tunnel("h2", 4096)
    one.sendall(WIDE + b"".join(frame(1, 4, 1 + 2 * number, head("POST", "/echo")) for number in range(streams)))
    one.settimeout(2)
    try:
        for _ in range(200):
            one.sendall(b"".join(frame(0, 0, 1 + 2 * number, b"x") * (3000 // streams) for number in range(streams)))
    except OSError:
        pass
    return one
kept = []
def keep(): kept.append({"http2": http2, "http1": http1, "pieces": pieces}[kind]())
threads = [threading.Thread(target=keep) for _ in range(connections)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(f"{len(kept)} connections", flush=True)
def honest():
    one = tunnel("http/1.1", None)
    if isinstance(one, bytes): return one[9:12].decode()
    with one:
        one.sendall(f"GET /bytes/20000000 HTTP/1.1\r\nHost: {free}\r\nConnection: close\r\n\r\n".encode())
        answer = one.recv(1 << 20)
        count = len(answer)
        while piece := one.recv(1 << 20): count += len(piece)
        return answer[9:12].decode() + (" read" if count > 20000000 else "")
print(honest(), flush=True)
sys.stdin.readline()
for one in kept: one.close()
# What is given back is given back in a moment.
answers = [honest()]
while answers[-1] != "200 read" and len(answers) < 100: answers.append(honest())
print(answers[-1], flush=True)
"#;

/// What a session may take for a bottle that floods it, in MiB: what its bounds come to, far below what was asked for.
const MOST: u64 = 256;

/// A session that is to be ended, whatever becomes of the test.
struct Greedy(Child);

impl Drop for Greedy {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[test]
fn answers_over_http2_that_nobody_reads() {
    flood("http2", 100, 4, "200 read");
}

#[test]
fn more_requests_than_are_taken_at_once() {
    flood("http2", 100, 128, "429");
}

#[test]
fn answers_over_http1_that_nobody_reads() {
    flood("http1", 200, 1, "200 read");
}

#[test]
fn bodies_in_pieces_of_one_byte_that_nobody_reads() {
    flood("pieces", 20, 10, "200 read");
}

/// `meanwhile` is what somebody else in the bottle sees of a long answer during the flood.
fn flood(kind: &str, connections: usize, streams: usize, meanwhile: &str) {
    let Some(world) = World::open() else { return };
    let (connections_text, streams) = (connections.to_string(), streams.to_string());
    let python = ["/usr/bin/python3", "-I", "-c", CLIENT, FREE, kind, &connections_text, &streams];
    let mut command = world.scene.command(&["start", "a", "--headless", "--yes", "--label", "greedy", "--"]);
    command.args(python).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut session = Greedy(command.spawn().unwrap());
    let mut printed = std::io::BufReader::new(session.0.stdout.take().unwrap());
    let mut line = || {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut printed, &mut line).unwrap();
        line.trim_end().to_owned()
    };
    assert_eq!(line(), format!("{connections} connections"));
    assert_eq!(line(), meanwhile);
    let peak = most_resident(&session.0);
    assert!(peak < MOST, "{kind}: the session took {peak} MiB");
    std::io::Write::write_all(session.0.stdin.as_mut().unwrap(), b"\n").unwrap();
    assert_eq!(line(), "200 read", "what was taken is given back");
    assert_eq!(session.0.wait().unwrap().code(), Some(0));
    world.scene.assert_nothing_left();
}

/// The most memory that a process had, in MiB.
fn most_resident(process: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}
