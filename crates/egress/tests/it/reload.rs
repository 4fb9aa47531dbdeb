//! Another table while connections are open.

use policy::{Table, TlsMode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::origin::Origin;
use crate::scene::{Setting, get, head, over, rule, send, send2, tls_to, within};

#[tokio::test]
async fn open_connections_are_judged_by_the_new_table_at_their_next_request() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let allowed = || rule("a.example", origin.address, |_| {});
    let scene = Setting::new(vec![allowed()], &origin.roots).start();
    let (mut one, mut two) = (scene.https("a.example").await, scene.http2("a.example").await);
    assert_eq!(send(&mut one, get("/x", "a.example")).await.status, 200);
    assert_eq!(send2(&mut two, get("https://a.example/x", "a.example")).await.status, 200);
    scene.control.reload(Table::default());
    assert_eq!(send(&mut one, get("/x", "a.example")).await.refusal(), "egress.host");
    assert_eq!(send2(&mut two, get("https://a.example/x", "a.example")).await.refusal(), "egress.host");
    scene.control.reload(Table::new(vec![allowed()]).unwrap());
    assert_eq!(send(&mut one, get("/x", "a.example")).await.status, 200);
    assert_eq!(send2(&mut two, get("https://a.example/x", "a.example")).await.status, 200);
    assert_eq!((scene.control.counts().refused, origin.seen().len()), (2, 4));
}

#[tokio::test]
async fn tunnels_and_web_sockets_end_when_they_are_not_allowed_any_more() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let rules = vec![
        rule("a.example", origin.address, |route| route.tls = TlsMode::Passthrough),
        rule("b.example", origin.address, |_| {}),
    ];
    let scene = Setting::new(rules, &origin.roots).start();
    let tunnel = scene.tunnel("a.example:443").await;
    let mut passed_on = over(tls_to(tunnel, "a.example", &[], origin.roots_store()).await.unwrap()).await;
    assert_eq!(send(&mut passed_on, get("/x", "a.example")).await.status, 200);
    let tunnel = scene.tunnel("b.example:443").await;
    let mut socket = scene.tls(tunnel, "b.example", &[]).await.unwrap();
    let ask = "GET /ws HTTP/1.1\r\nHost: b.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    socket.write_all(ask.as_bytes()).await.unwrap();
    assert!(head(&mut socket).await.starts_with("HTTP/1.1 101 "));
    scene.control.reload(Table::default());
    assert!(!matches!(within(socket.read(&mut [0; 10])).await, Ok(1..)));
    assert!(within(passed_on.send_request(get("/x", "a.example"))).await.is_err());
}
