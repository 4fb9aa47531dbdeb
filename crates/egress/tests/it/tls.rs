//! TLS towards the bottle: what is offered that is no longer safe is refused.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::process::{Command, Output, Stdio};

use testkit::tls_hello::{ClientHello, ServerHello, ServerSaid};
use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::origin::Origin;
use crate::scene::{Scene, Setting, exchange, rule, within};

const NAME: &str = "a.example";
const HANDSHAKE_FAILURE: u8 = 40;
const PROTOCOL_VERSION: u8 = 70;
/// TLS_ECDHE_ECDSA with AES-128-GCM, AES-256-GCM and ChaCha20-Poly1305: authenticated encryption, forward secrecy.
const SUITES_OF_1_2: [u16; 3] = [0xc02b, 0xc02c, 0xcca9];
/// All of TLS 1.3's but those with CCM.
const SUITES_OF_1_3: [u16; 3] = [0x1301, 0x1302, 0x1303];

async fn scene() -> (Scene, Origin) {
    let origin = Origin::tls(&["http/1.1"]).await;
    (Setting::new(vec![rule(NAME, origin.address, |_| {})], &origin.roots).start(), origin)
}

async fn said(scene: &Scene, hello: &ClientHello) -> ServerSaid {
    let mut stream = scene.tunnel("a.example:443").await;
    stream.write_all(&hello.bytes()).await.unwrap();
    within(ServerSaid::read(&mut stream)).await.unwrap()
}

async fn chosen(scene: &Scene, hello: &ClientHello) -> ServerHello {
    match said(scene, hello).await {
        ServerSaid::Hello(chosen) => chosen,
        other => panic!("{other:?} to {hello:?}"),
    }
}

#[tokio::test]
async fn tls_before_1_2_is_refused() {
    let (scene, origin) = scene().await;
    let all = [SUITES_OF_1_2.to_vec(), SUITES_OF_1_3.to_vec(), vec![0xc00a, 0xc009, 0x002f, 0x0035, 0x000a, 0x0005]].concat();
    let plain = ClientHello::tls12(NAME, &all);
    for version in [0x0300, 0x0301, 0x0302] {
        let old = ClientHello { version, ..plain.clone() };
        assert_eq!(said(&scene, &old).await, ServerSaid::Alert(PROTOCOL_VERSION), "{version:x}");
        let listed = ClientHello { versions: vec![version], ..plain.clone() };
        assert_eq!(said(&scene, &listed).await, ServerSaid::Alert(PROTOCOL_VERSION), "{version:x} in the list");
    }
    // Drafts of TLS 1.3, and a version to come.
    for version in [0x7f17, 0x7f1c, 0x0305] {
        let listed = ClientHello { versions: vec![version], ..plain.clone() };
        assert_eq!(said(&scene, &listed).await, ServerSaid::Alert(PROTOCOL_VERSION), "{version:x}");
    }
    // SSL 2.0 has another first message (RFC 5246, appendix E.2), which is not even taken for TLS.
    let ssl2 = [&[0x80, 0x2e, 1, 3, 1, 0, 21, 0, 0, 0, 16][..], &[7; 37]].concat();
    let answer = exchange(scene.tunnel("a.example:443").await, &ssl2).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 403 "), "{answer:?}");
    assert_eq!(chosen(&scene, &plain).await.version, 0x0303);
    assert_eq!(chosen(&scene, &ClientHello::tls13(NAME, &all)).await.version, 0x0304);
    assert!(scene.refusals().iter().all(|refusal| refusal["code"] == "egress.protocol"), "{:?}", scene.refusals());
    assert!(origin.seen().is_empty());
}

/// Every number that a suite can have is offered: NULL, anonymous, EXPORT, RC4, DES, 3DES, CBC and static RSA are all among them.
#[tokio::test]
async fn tls_cipher_suites_are_the_safe_ones_and_no_others() {
    let (scene, _origin) = scene().await;
    for (hello, safe) in [(ClientHello::tls12 as fn(_, &_) -> _, SUITES_OF_1_2), (ClientHello::tls13, SUITES_OF_1_3)] {
        let mut taken = BTreeSet::new();
        for batch in 0..8_u32 {
            let mut offered: Vec<u16> = (batch << 13..(batch + 1) << 13).map(|suite| suite as u16).collect();
            loop {
                match said(&scene, &hello(NAME, &offered)).await {
                    ServerSaid::Hello(ServerHello { suite, .. }) => {
                        assert!(offered.contains(&suite));
                        taken.insert(suite);
                        offered.retain(|one| *one != suite);
                    }
                    refused => break assert_eq!(refused, ServerSaid::Alert(HANDSHAKE_FAILURE)),
                }
            }
        }
        assert_eq!(taken, BTreeSet::from(safe));
    }
}

#[tokio::test]
async fn tls_key_exchange_is_in_safe_groups_alone() {
    let (scene, _origin) = scene().await;
    // secp160, secp192, secp224, sect and brainpool curves, explicit ones, and finite fields.
    let weak = [(1..=22).collect::<Vec<u16>>(), (26..=28).collect(), vec![0x0100, 0x0101, 0x0102, 0xff01, 0xff02]].concat();
    for hello in [ClientHello::tls12(NAME, &SUITES_OF_1_2), ClientHello::tls13(NAME, &SUITES_OF_1_3)] {
        let refused = said(&scene, &ClientHello { groups: weak.clone(), ..hello.clone() }).await;
        assert_eq!(refused, ServerSaid::Alert(HANDSHAKE_FAILURE));
        for group in [0x001d, 0x0017, 0x0018] {
            chosen(&scene, &ClientHello { groups: vec![group], ..hello.clone() }).await;
        }
    }
}

#[tokio::test]
async fn tls_compression_heartbeats_and_downgrades() {
    let (scene, _origin) = scene().await;
    let plain = ClientHello::tls12(NAME, &[&SUITES_OF_1_2[..], &[0x00ff]].concat());
    // CRIME (CVE-2012-4929): DEFLATE is not taken, and never alone.
    let both = ClientHello { compression: vec![1, 0], ..plain.clone() };
    assert_eq!(chosen(&scene, &both).await.compression, 0);
    let alone = ClientHello { compression: vec![1], ..plain.clone() };
    assert!(matches!(said(&scene, &alone).await, ServerSaid::Alert(_)));
    // Heartbleed (CVE-2014-0160): nobody's heart beats here. Triple handshake (CVE-2014-1295): the master secret is bound to it all.
    let (heartbeat, extended_master_secret, renegotiation_info) = (15, 23, 0xff01);
    let offering = ClientHello { more: vec![(heartbeat, vec![1]), (extended_master_secret, Vec::new())], ..plain.clone() };
    let extensions = chosen(&scene, &offering).await.extensions;
    assert!(!extensions.contains(&heartbeat) && extensions.contains(&extended_master_secret), "{extensions:?}");
    // RFC 5746: whoever knows of safe renegotiation is told that it is known here.
    assert!(extensions.contains(&renegotiation_info), "{extensions:?}");
    // RFC 8446 §4.1.3: who was talked down from TLS 1.3 can see it.
    assert!(chosen(&scene, &plain).await.random.ends_with(b"DOWNGRD\x01"));
}

/// A client that shakes hands again in the middle (CVE-2009-3555, CVE-2011-1473).
#[tokio::test]
async fn tls_renegotiation_is_refused() {
    if Command::new("openssl").arg("version").output().is_err() {
        return testkit::require("openssl", "openssl is not installed");
    }
    let door = Door::open().await;
    let mut command = Command::new("openssl");
    command.args(["s_client", "-tls1_2", "-servername", NAME, "-connect", &door.address]);
    let mut client = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = client.stdin.take().unwrap();
    // A line `R` makes it shake hands again.
    stdin.write_all(b"R\n").unwrap();
    let output = door.while_runs(move || client.wait_with_output()).await;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(said.contains("RENEGOTIATING") && said.contains("no renegotiation"), "{said}");
    drop(stdin);
}

/// What testssl.sh finds fault with: nothing.
#[tokio::test]
async fn tls_as_testssl_sees_it() {
    let Ok(version) = Command::new("testssl").arg("--version").output() else {
        return testkit::require("testssl", "testssl.sh is not installed");
    };
    let (door, folder) = (Door::open().await, tempfile::tempdir().unwrap());
    let found = folder.path().join("found.json");
    let mut command = Command::new("testssl");
    command.args(["--quiet", "--color", "0", "--warnings", "batch", "--nodns", "none", "--ip", "127.0.0.1"]);
    // Protocols and vulnerabilities.
    command.args(["-p", "-U", "--jsonfile"]).arg(&found).arg(door.address.replace("127.0.0.1", NAME));
    command.env_remove("HTTPS_PROXY").env_remove("https_proxy").stdin(Stdio::null());
    let output = door.while_runs(move || command.output()).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let found: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(found).unwrap()).unwrap();
    let with = |severity: &str| found.iter().filter(|one| one["severity"] == severity).count();
    assert!(with("OK") > 20, "{version:?} {said}");
    // A warning is about what it cannot try with this machine's openssl.
    let harmless = ["OK", "INFO", "WARN"];
    let faults: Vec<_> = found.iter().filter(|one| !harmless.contains(&one["severity"].as_str().unwrap())).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

/// A port of the host behind which the bottle's way to one host lies, for programs that know nothing of bottles.
struct Door {
    address: String,
    listener: TcpListener,
    scene: Scene,
    _origin: Origin,
}

impl Door {
    async fn open() -> Self {
        let (scene, origin) = scene().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { address: listener.local_addr().unwrap().to_string(), listener, scene, _origin: origin }
    }

    /// Serves while a program runs.
    async fn while_runs(&self, program: impl FnOnce() -> io::Result<Output> + Send + 'static) -> Output {
        let serve = async {
            let mut carried = JoinSet::new();
            loop {
                let (mut stream, _) = self.listener.accept().await.unwrap();
                let mut tunnel = self.scene.tunnel("a.example:443").await;
                carried.spawn(async move { copy_bidirectional(&mut stream, &mut tunnel).await });
            }
        };
        tokio::select! {
            () = serve => unreachable!(),
            output = tokio::task::spawn_blocking(program) => output.unwrap().unwrap(),
        }
    }
}
