//! DNS rebinding: a name that means one address when it is judged and another when it is used.

use std::sync::Arc;

use policy::Cidr;

use super::trial::{Scripted, Trial};
use crate::origin::Origin;
use crate::scene::{Setting, get, over, rule, send};

#[tokio::test]
async fn a_rebound_name_is_judged_by_the_address_that_is_dialled() {
    let origin = Origin::plain().await;
    // One look-up for each connection, and its answer is both judged and dialled. Of two addresses the allowed one alone counts.
    let lookup = Arc::new(Scripted::new(&[&["127.0.0.1"], &["169.254.169.254", "127.0.0.1"], &["127.0.0.2"]]));
    let rules = vec![rule("a.example", origin.address, |route| {
        route.dial = None;
        route.ports = vec![origin.address.port()];
        route.addresses = vec![Cidr::parse("127.0.0.1").unwrap()];
    })];
    let scene = Setting { lookup: Some(Arc::clone(&lookup) as _), ..Setting::new(rules, &origin.roots) }.start();
    let mut trial = Trial::of(&scene);
    let authority = format!("a.example:{}", origin.address.port());
    let uri = |path: &str| format!("http://{authority}{path}");
    let mut client = over(scene.proxy()).await;
    assert_eq!(send(&mut client, get(&uri("/x"), &authority)).await.body, "hello");
    // A connection that is used again goes where it was judged to go.
    assert_eq!(send(&mut client, get(&uri("/x"), &authority)).await.body, "hello");
    assert_eq!(lookup.asked(), 1);
    // What asks for another protocol has a connection of its own.
    let upgrade = |path: &str| {
        let mut request = get(&uri(path), &authority);
        request.headers_mut().insert("connection", "upgrade".parse().unwrap());
        request.headers_mut().insert("upgrade", "websocket".parse().unwrap());
        request
    };
    assert_eq!(send(&mut client, upgrade("/x")).await.body, "hello");
    trial.none("the allowed one of two");
    let got = send(&mut client, upgrade("/x")).await;
    assert_eq!((got.refusal(), trial.code("rebound").as_str()), ("egress.private", "egress.private"));
    assert_eq!((lookup.asked(), origin.seen().len()), (3, 3));
}
