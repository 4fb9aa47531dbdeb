//! Everything that a common client offers to go another way.

use super::world::{FREE, PAID, World, part};
use crate::elsewhere;

/// An attempt by a name of its own: what curl is asked, the status it must end with (`000`: no HTTP answer came), and what must be
/// recorded, each exactly once. Where there is no way but the proxy, what goes past it ends without an answer and a record.
struct Attempt {
    name: &'static str,
    curl: &'static str,
    status: &'static str,
    recorded: &'static [&'static str],
}

const fn attempt(name: &'static str, curl: &'static str, status: &'static str, recorded: &'static [&'static str]) -> Attempt {
    Attempt { name, curl, status, recorded }
}

impl Attempt {
    /// Whether it goes past the proxy, to a port of the outlet's or to the resolver.
    fn goes_past_the_proxy(&self) -> bool {
        self.recorded.iter().any(|recorded| !recorded.ends_with(" proxy"))
    }

    fn expected(&self) -> (&'static str, &'static [&'static str]) {
        if elsewhere::has_own_kernel() && self.goes_past_the_proxy() { ("000", &[]) } else { (self.status, self.recorded) }
    }
}

/// `$P` is a host that is allowed, `$A` the address that stands for it.
const ATTEMPTS: [Attempt; 42] = [
    attempt("plain", "https://plain.evil.example/", "403", &["egress.host CONNECT plain.evil.example:443 proxy"]),
    attempt("http", "http://http.evil.example/", "403", &["egress.host GET http.evil.example proxy"]),
    attempt(
        "noproxy",
        "-4 --noproxy * https://noproxy.evil.example/",
        "000",
        &["egress.host A noproxy.evil.example 127.0.0.1:53"],
    ),
    attempt(
        "bypass",
        "-4 env:NO_PROXY=* env:no_proxy=* https://bypass.evil.example/",
        "000",
        &["egress.host A bypass.evil.example 127.0.0.1:53"],
    ),
    attempt("unset", "-4 unset https://unset.evil.example/", "000", &["egress.host A unset.evil.example 127.0.0.1:53"]),
    attempt("empty", "-4 -x  https://empty.evil.example/", "000", &["egress.host A empty.evil.example 127.0.0.1:53"]),
    attempt("elsewhere", "-x http://203.0.113.9:3128 https://$P/", "000", &[]),
    attempt("elsewhere by 80", "-x http://203.0.113.9:80 https://$P/", "403", &["egress.address  203.0.113.9:80"]),
    attempt("elsewhere by 443", "-x https://203.0.113.10:443 https://$P/", "000", &["egress.address  203.0.113.10:443"]),
    attempt("socks elsewhere", "-x socks5h://203.0.113.9:1080 https://$P/", "000", &[]),
    attempt("socks here", "-x socks5h://127.0.0.1:3128 https://$P/", "000", &["egress.protocol  proxy"]),
    attempt("socks4 here", "-x socks4a://127.0.0.1:3128 https://$P/", "000", &["egress.protocol  proxy"]),
    attempt(
        "all proxies",
        "env:ALL_PROXY=socks5://203.0.113.9:1080 env:all_proxy=socks5://203.0.113.9:1080 env:HTTPS_PROXY= env:https_proxy= https://all.evil.example/",
        "000",
        &[],
    ),
    attempt(
        "connect-to a host",
        "--connect-to $P:443:to.evil.example:443 https://$P/",
        "403",
        &["egress.host CONNECT to.evil.example:443 proxy"],
    ),
    attempt(
        "connect-to an address",
        "--noproxy * --connect-to ::203.0.113.11:443 https://$P/",
        "000",
        &["egress.address  203.0.113.11:443"],
    ),
    attempt(
        "connect-to a port",
        "--connect-to $P:443:$P:22 https://$P/",
        "403",
        &["egress.port CONNECT paid.example.org:22 proxy"],
    ),
    attempt("resolve", "--noproxy * --resolve $P:443:203.0.113.12 https://$P/", "000", &["egress.address  203.0.113.12:443"]),
    attempt(
        "resolve another",
        "--noproxy * --resolve sni.evil.example:443:$A https://sni.evil.example/",
        "000",
        &["egress.authority TLS paid.example.org 198.18.0.4:443"],
    ),
    attempt("resolve private", "--noproxy * --resolve $P:80:10.0.0.1 http://$P/", "403", &["egress.address  10.0.0.1:80"]),
    attempt("host header", "-H Host:host.evil.example https://$P/", "421", &["egress.authority GET host.evil.example proxy"]),
    attempt(
        "host header in plain",
        "-H Host:front.evil.example http://$P/",
        "421",
        &["egress.authority GET paid.example.org proxy"],
    ),
    attempt("fronting", "--http2 -H Host:free.example.org https://$P/", "421", &["egress.authority GET free.example.org proxy"]),
    attempt("address", "--noproxy * http://203.0.113.13/", "403", &["egress.address  203.0.113.13:80"]),
    attempt("address by proxy", "--noproxy localhost http://203.0.113.14/", "403", &["egress.host GET 203.0.113.14 proxy"]),
    attempt("loopback", "http://127.0.0.1/", "403", &["egress.address  127.0.0.1:80"]),
    attempt("decimal", "--noproxy * http://3405803786/", "403", &["egress.address  203.0.113.10:80"]),
    attempt("octal", "--noproxy * http://0313.0.0161.017/", "403", &["egress.address  203.0.113.15:80"]),
    attempt("hex", "--noproxy * http://0xcb.0x7110/", "403", &["egress.address  203.0.113.16:80"]),
    attempt("short", "--noproxy * http://127.17/", "403", &["egress.address  127.0.0.17:80"]),
    attempt("mapped", "--noproxy * http://[::ffff:203.0.113.17]/", "403", &["egress.address  203.0.113.17:80"]),
    attempt("loopback of IPv6", "--noproxy * http://[::1]/", "403", &["egress.address  [::1]:80"]),
    attempt("zone", "--noproxy * http://[fe80::1%25lo]/", "403", &["egress.address  [fe80::1]:80"]),
    attempt("metadata", "--noproxy * http://169.254.169.254/latest/meta-data/", "403", &["egress.address  169.254.169.254:80"]),
    attempt(
        "metadata by proxy",
        "--noproxy localhost http://169.254.169.254/latest/meta-data/",
        "403",
        &["egress.host GET 169.254.169.254 proxy"],
    ),
    attempt(
        "metadata of IPv6",
        "--noproxy * http://[fd00:ec2::254]/latest/meta-data/",
        "403",
        &["egress.address  [fd00:ec2::254]:80"],
    ),
    attempt("the proxy itself", "--noproxy * http://127.0.0.1:3128/", "400", &["egress.malformed GET 127.0.0.1:3128 proxy"]),
    attempt(
        "the proxy by the proxy",
        "--noproxy none --proxytunnel http://127.0.0.1:3128/",
        "403",
        &["egress.host CONNECT 127.0.0.1:3128 proxy"],
    ),
    attempt("mail", "smtp://mail.evil.example", "403", &["egress.host CONNECT mail.evil.example:25 proxy"]),
    attempt("mail at an allowed host", "--proxytunnel telnet://$P:25", "403", &["egress.port CONNECT paid.example.org:25 proxy"]),
    attempt("files", "--proxytunnel ftp://ftp.evil.example/", "403", &["egress.host CONNECT ftp.evil.example:21 proxy"]),
    attempt("socket of the host", "--unix-socket /var/run/docker.sock http://docker/info", "000", &[]),
    attempt("trailing dot", "https://dot.evil.example./", "400", &["egress.malformed CONNECT dot.evil.example.:443 proxy"]),
];

/// Reads an attempt's words: `env:NAME=VALUE` sets a variable, `unset` removes every proxy's, an empty word is an empty argument.
const RUN: &str = r#"
import os, subprocess, sys
P, A, BOUND, attempts = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
for attempt in attempts:
    name, *words = attempt.split("|")
    env, arguments = dict(os.environ), []
    for word in words:
        if word.startswith("env:"):
            variable, value = word[4:].split("=", 1)
            env[variable] = value
        elif word == "unset":
            env = {name: value for name, value in env.items() if "proxy" not in name.lower()}
        else:
            arguments.append(word.replace("$P", P).replace("$A", A))
    curl = ["curl", "-sk", "-m", BOUND, "-o", "/dev/null", "-w", "%{http_code} %{http_connect}", *arguments]
    codes = subprocess.run(curl, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout.split()
    print("==", name)
    print(next((code for code in codes if code not in ("000", "200")), "000" if "000" in codes else "200"), flush=True)
"#;

#[test]
fn curl_finds_no_other_way() {
    let Some(world) = World::open() else { return };
    let script = world.scene.path("curl.py");
    std::fs::write(&script, RUN).unwrap();
    let attempts: Vec<String> =
        ATTEMPTS.iter().map(|attempt| format!("{}|{}", attempt.name, attempt.curl.replace(' ', "|"))).collect();
    // Where names mean nothing, an address that would stand for one.
    let address = "\"$( (getent ahosts paid.example.org || echo 198.18.0.4) | cut -d' ' -f1 | head -1)\"";
    // gVisor says nothing of some addresses that lead nowhere.
    let bound = if elsewhere::has_own_kernel() { 5 } else { 60 };
    let quoted: Vec<String> = attempts.iter().map(|attempt| format!("'{attempt}'")).collect();
    let shell = format!(
        "cat > run.py; /usr/bin/python3 run.py {PAID} {address} {bound} {}; echo == honest; curl -sS https://{FREE}/",
        quoted.join(" ")
    );
    let ran = world.scene.run_with(&["start", "a", "--headless", "--yes", "--", "sh", "-c", &shell], RUN.as_bytes());
    assert_eq!(ran.code, 0, "{ran:?}");
    let mut refusals = world.refusals();
    let mut wrong = Vec::new();
    for attempt in &ATTEMPTS {
        let (Attempt { name, .. }, (status, recorded)) = (attempt, attempt.expected());
        let ended = part(&ran.stdout, name);
        if ended != status {
            wrong.push(format!("{name}: ended with {ended}"));
        }
        for recorded in recorded {
            match refusals.iter().position(|refusal| refusal == recorded) {
                Some(at) => drop(refusals.remove(at)),
                None => wrong.push(format!("{name}: no record {recorded:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}; recorded besides: {refusals:#?}");
    assert_eq!(refusals, Vec::<String>::new(), "each is recorded once");
    // What reached the server is the honest request alone.
    assert_eq!(part(&ran.stdout, "honest"), "hello from GET /");
    assert_eq!(world.origin.requests().len(), 1);
    assert!(!world.written(&ran).contains(&world.canary));
}
