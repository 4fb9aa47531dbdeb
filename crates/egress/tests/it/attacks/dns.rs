//! Names as a way out. The resolver forwards nothing: whatever is asked, nobody outside is.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::trial::{Scripted, Trial};
use crate::origin::Origin;
use crate::scene::{Scene, Setting, question, rule, within};

const HOST: &str = "egress.host";
const RESOLVERS: [&str; 4] = ["127.0.0.53:53", "8.8.8.8:53", "1.1.1.1:53", "[2001:4860:4860::8888]:53"];

fn scene(origin: &Origin, lookup: &Arc<Scripted>) -> Scene {
    let rules =
        vec![rule("a.example", origin.address, |_| {}), rule("*.wild.example", origin.address, |route| route.dial = None)];
    Setting { lookup: Some(Arc::clone(lookup) as _), ..Setting::new(rules, &origin.roots) }.start()
}

fn code_of(answer: &[u8]) -> u8 {
    answer[3] & 0xf
}

const NXDOMAIN: u8 = 3;
const REFUSED: u8 = 5;

#[tokio::test]
async fn tunnelling_in_labels() {
    let origin = Origin::plain().await;
    let lookup = Arc::new(Scripted::new(&[]));
    let scene = scene(&origin, &lookup);
    let mut trial = Trial::of(&scene);
    let label = "5345435245542d63616e617279".repeat(2);
    for name in [
        format!("{label}.evil.example"),
        format!("{label}.{label}.{label}.evil.example"),
        format!("{label}.a.example"),
        format!("{label}.com"),
        label.clone(),
    ] {
        let answer = scene.datagram("8.8.8.8:53", question(&name, 1)).await.unwrap();
        assert_eq!(code_of(&answer), NXDOMAIN, "{name}");
        assert_eq!(trial.code(&name), HOST);
    }
    // Where a route is for all names below one, the name gets an address of ours, and still nobody is asked.
    assert!(scene.resolve(&format!("{label}.wild.example")).await.is_some());
    trial.none("an allowed name");
    assert_eq!(lookup.asked(), 0);
}

#[tokio::test]
async fn a_hundred_random_names() {
    let origin = Origin::plain().await;
    let lookup = Arc::new(Scripted::new(&[]));
    let scene = scene(&origin, &lookup);
    let mut trial = Trial::of(&scene);
    for number in 0u64..100 {
        let name = format!("{:x}.example", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        assert_eq!(scene.resolve(&name).await, None);
        let record = trial.record(&name);
        assert_eq!((&record["kind"], &record["asked"]), (&"dns".into(), &format!("A {name}").into()));
    }
    assert_eq!(lookup.asked(), 0);
}

#[tokio::test]
async fn txt_null_any_and_others() {
    let origin = Origin::plain().await;
    let lookup = Arc::new(Scripted::new(&[]));
    let scene = scene(&origin, &lookup);
    let mut trial = Trial::of(&scene);
    const NULL: u16 = 10;
    const TRANSFERS_AND_ANY: [u16; 3] = [251, 252, 255];
    for kind in [2, 5, 6, NULL, 12, 15, 16, 28, 33, 35, 64, 65, 99, 257, 65_280].into_iter().chain(TRANSFERS_AND_ANY) {
        let never = kind == NULL || TRANSFERS_AND_ANY.contains(&kind);
        let answer = scene.datagram("127.0.0.53:53", question("secret.evil.example", kind)).await.unwrap();
        assert_eq!(code_of(&answer), if never { REFUSED } else { NXDOMAIN }, "{kind}");
        assert_eq!(trial.code(&kind.to_string()), HOST);
        // Of a name that is allowed, only its address is told.
        let answer = scene.datagram("127.0.0.53:53", question("a.example", kind)).await.unwrap();
        assert_eq!((code_of(&answer), answer[7]), (if never { REFUSED } else { 0 }, 0), "{kind}");
        if never {
            assert_eq!(trial.code(&kind.to_string()), HOST);
        }
    }
    trial.none("other types of an allowed name");
    assert_eq!(lookup.asked(), 0);
}

#[tokio::test]
async fn a_resolver_of_ones_own_over_udp_and_tcp() {
    let origin = Origin::plain().await;
    let lookup = Arc::new(Scripted::new(&[]));
    let scene = scene(&origin, &lookup);
    let mut trial = Trial::of(&scene);
    for resolver in RESOLVERS {
        let answer = scene.datagram(resolver, question("evil.example", 1)).await.unwrap();
        assert_eq!(code_of(&answer), NXDOMAIN);
        assert_eq!(trial.record(resolver)["destination"], resolver);

        let mut stream = scene.transparent(resolver);
        let query = question("evil.example", 1);
        let length = u16::try_from(query.len()).unwrap();
        within(stream.write_all(&[&length.to_be_bytes()[..], &query].concat())).await.unwrap();
        let length = within(stream.read_u16()).await.unwrap();
        let mut answer = vec![0; usize::from(length)];
        within(stream.read_exact(&mut answer)).await.unwrap();
        assert_eq!(code_of(&answer), NXDOMAIN);
        assert_eq!(trial.record(resolver)["destination"], resolver);
    }
    // What is no query is recorded, and the connection closed.
    let mut stream = scene.transparent("8.8.8.8:53");
    within(stream.write_all(b"\0\x06secret")).await.unwrap();
    assert!(within(stream.read_u8()).await.is_err());
    let record = trial.record("no query");
    assert_eq!((&record["code"], &record["asked"]), (&HOST.into(), &"malformed query".into()));
    assert_eq!(lookup.asked(), 0);
}

#[tokio::test]
async fn dns_over_https_and_tls() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let lookup = Arc::new(Scripted::new(&[]));
    let scene = scene(&origin, &lookup);
    let mut trial = Trial::of(&scene);
    for place in
        ["dns.google:443", "cloudflare-dns.com:443", "1.1.1.1:443", "[2606:4700:4700::1111]:443", "dns.google:853", "1.1.1.1:853"]
    {
        trial.at_the_proxy(&format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n"), HOST).await;
    }
    assert!(scene.tls(scene.transparent("1.1.1.1:443"), "cloudflare-dns.com", &[]).await.is_err());
    assert_eq!(trial.code("by its address"), "egress.address");
    assert_eq!(lookup.asked(), 0);
    assert!(origin.seen().is_empty());
}

/// A name is looked up outside only when a request for it has passed the policy.
#[tokio::test]
async fn a_refused_request_looks_nothing_up() {
    let origin = Origin::plain().await;
    let lookup = Arc::new(Scripted::new(&[&["127.0.0.1"]]));
    let scene = scene(&origin, &lookup);
    let mut trial = Trial::of(&scene);
    for request in [
        "CONNECT secret.evil.example:443 HTTP/1.1\r\nHost: secret.evil.example\r\n\r\n",
        "CONNECT secret.wild.example:22 HTTP/1.1\r\nHost: secret.wild.example:22\r\n\r\n",
        "GET http://secret.evil.example/ HTTP/1.1\r\nHost: secret.evil.example\r\nConnection: close\r\n\r\n",
        "TRACE http://secret.wild.example/ HTTP/1.1\r\nHost: secret.wild.example\r\nConnection: close\r\n\r\n",
    ] {
        let answer = crate::scene::exchange(scene.proxy(), request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        trial.code(request);
    }
    drop(scene.tunnel("secret.wild.example:443").await);
    assert_eq!(lookup.asked(), 0);
}
