//! Hosts whose TLS is not good enough: nothing is sent to them, and the answer says what is wrong and what can be done about it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use egress::TrustRoots;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use testkit::origin::{Answer, Door, Origin};
use testkit::{Leaf, TestAuthority, Validity};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::scene::{Got, Scene, Setting, get, rule, send};

const NAME: &str = "a.example";

/// A session's way to a host at `address`, when the person trusts `roots`.
fn scene(address: SocketAddr, roots: &TrustRoots) -> Scene {
    Setting::new(vec![rule(NAME, address, |_| {})], roots).start()
}

async fn asked(scene: &Scene) -> Got {
    send(&mut scene.https(NAME).await, get("/x", NAME)).await
}

/// It is refused with this code, and message and hint say this.
async fn is_refused(what: &str, scene: &Scene, code: &str, message: &str, hint: &str) {
    let got = asked(scene).await;
    let body: serde_json::Value = serde_json::from_slice(&got.body).unwrap();
    assert_eq!((got.status.as_u16(), got.refusal()), (502, code), "{what}: {body}");
    assert!(body["message"].as_str().unwrap().contains(message), "{what}: {body}");
    assert!(body["hint"].as_str().unwrap().contains(hint), "{what}: {body}");
    assert_eq!(scene.only_refusal(), (code.to_owned(), format!("GET {NAME}")), "{what}");
}

#[tokio::test]
async fn certificates_of_hosts_are_refused_with_what_to_do() {
    let (authority, other) = (TestAuthority::new("trusted"), TestAuthority::new("somebody"));
    let roots = TrustRoots::only(authority.certificate().to_vec());
    for (leaf, message, hint) in [
        (authority.leaf_valid(&[NAME], Validity::Past), "has expired", "tell the person"),
        (authority.leaf_valid(&[NAME], Validity::Future), "is not valid yet", "clock"),
        (authority.leaf(&["b.example"]), "is for another host", "use the name"),
        (authority.leaf(&["*.example.a.example"]), "is for another host", "use the name"),
        (other.leaf(&[NAME]), "an authority that is not trusted here", "SSL_CERT_FILE"),
        (Leaf::self_signed(&[NAME]), "is self-signed", "SSL_CERT_FILE"),
    ] {
        let origin = Origin::start(Door::Tls(leaf), |_| Answer::text("reached"));
        let scene = scene(origin.address(), &roots);
        is_refused(message, &scene, "egress.certificate", message, hint).await;
        assert!(origin.requests().is_empty(), "{message}");
    }
}

/// A port that speaks no TLS, and one that answers as TLS 1.1 would whatever it is offered.
#[tokio::test]
async fn hosts_that_speak_no_tls_or_an_old_one_are_refused() {
    let roots = TrustRoots::only(Vec::new());
    // ServerHello of TLS 1.1 with TLS_RSA_WITH_AES_128_CBC_SHA (RFC 4346 §7.4.1.3).
    let old = [&[22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2][..], &[7; 32], &[0, 0, 0x2f, 0]].concat();
    for (words, message) in [
        (b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n".to_vec(), "does not answer in TLS"),
        (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), "does not answer in TLS"),
        (old, "no version or cipher of TLS that is safe"),
        (vec![21, 3, 1, 0, 2, 2, 70], "alert ProtocolVersion"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scene = scene(listener.local_addr().unwrap(), &roots);
        let serve = async {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(&words).await.unwrap();
            }
        };
        tokio::select! {
            () = serve => unreachable!(),
            () = is_refused(message, &scene, "egress.upstream", message, "TLS") => {}
        }
    }
}

/// Real servers that offer nothing newer, by openssl.
#[tokio::test]
async fn hosts_with_old_versions_weak_ciphers_or_weak_keys_are_refused() {
    if Command::new("openssl").arg("version").output().is_err() {
        return testkit::require("openssl", "openssl is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let roots = certificates(folder.path());
    for (certificate, versions) in [("rsa", "-tls1_2"), ("ec", "-tls1_2"), ("ec", "-tls1_3")] {
        let server = Server::start(folder.path(), certificate, &[versions]);
        assert_eq!(asked(&scene(server.address, &roots)).await.status, 200, "{certificate} {versions}");
    }
    let tls12 = |cipher| ["-tls1_2", "-cipher", cipher];
    for (certificate, options, code, message) in [
        ("rsa", ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], "egress.upstream", "alert ProtocolVersion"),
        ("rsa", ["-tls1", "-cipher", "DEFAULT@SECLEVEL=0"], "egress.upstream", "alert ProtocolVersion"),
        ("rsa", tls12("AES128-SHA"), "egress.upstream", "alert HandshakeFailure"),
        ("rsa", tls12("AES128-GCM-SHA256"), "egress.upstream", "alert HandshakeFailure"),
        ("rsa", tls12("DHE-RSA-AES128-GCM-SHA256"), "egress.upstream", "alert HandshakeFailure"),
        ("rsa", tls12("ECDHE-RSA-AES128-SHA256"), "egress.upstream", "alert HandshakeFailure"),
        ("ec", tls12("ECDHE-ECDSA-AES128-SHA"), "egress.upstream", "alert HandshakeFailure"),
        ("rsa", tls12("aNULL:@SECLEVEL=0"), "egress.upstream", "alert HandshakeFailure"),
        ("short", tls12("DEFAULT@SECLEVEL=0"), "egress.certificate", "the certificate of a.example"),
        ("sha1", tls12("DEFAULT@SECLEVEL=0"), "egress.certificate", "the certificate of a.example"),
        ("client", tls12("DEFAULT@SECLEVEL=0"), "egress.certificate", "is not one for servers"),
    ] {
        let server = Server::start(folder.path(), certificate, &options);
        let scene = scene(server.address, &roots);
        is_refused(&format!("{certificate} {options:?}"), &scene, code, message, "").await;
    }
}

/// Makes an authority and certificates by it: sound ones with two kinds of keys, and one each with a short key, a signature by SHA-1,
/// and a purpose that is not a server's.
fn certificates(folder: &Path) -> TrustRoots {
    let make = |arguments: &str| {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{arguments}: {output:?}");
    };
    make("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -subj /CN=authority -days 30");
    let names = "subjectAltName=DNS:a.example";
    for (name, key, hash, purpose) in [
        ("rsa", "rsa:2048", "-sha256", "serverAuth"),
        ("ec", "ec -pkeyopt ec_paramgen_curve:P-256", "-sha256", "serverAuth"),
        ("short", "rsa:1024", "-sha256", "serverAuth"),
        ("sha1", "rsa:2048", "-sha1", "serverAuth"),
        ("client", "rsa:2048", "-sha256", "clientAuth"),
    ] {
        make(&format!(
            "req -x509 -newkey {key} -nodes -keyout {name}.key -out {name}.pem -subj /CN=a.example -days 30 {hash} -CA ca.pem -CAkey ca.key \
             -addext {names} -addext extendedKeyUsage={purpose} -addext basicConstraints=critical,CA:FALSE"
        ));
    }
    TrustRoots::only(CertificateDer::from_pem_file(folder.join("ca.pem")).unwrap().to_vec())
}

/// `openssl s_server` on a free port, which answers every request with a page.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(folder: &Path, certificate: &str, options: &[&str]) -> Self {
        let files = [format!("{certificate}.pem"), format!("{certificate}.key")];
        let mut command = Command::new("openssl");
        command.args(["s_server", "-www", "-accept", "127.0.0.1:0", "-cert", &files[0], "-key", &files[1]]).args(options);
        let mut child =
            command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let address = said.find_map(|line| line.strip_prefix("ACCEPT ")?.parse().ok()).unwrap();
        // It goes on talking.
        std::thread::spawn(move || said.for_each(drop));
        Self { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
