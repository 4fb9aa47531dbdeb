//! The bottle's own names.

use std::sync::Arc;

use async_trait::async_trait;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;

use crate::origin::Origin;
use crate::scene::{Setting, get, over, send, send2, with_credential};

#[tokio::test]
async fn the_agent_reads_what_it_may_do_and_what_was_refused() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![with_credential("a.example", origin.address)], &origin.roots).start();
    let mut client = over(scene.proxy()).await;
    send(&mut client, get("http://evil.example/path-canary", "evil.example")).await;
    let page = send(&mut client, get("http://policy.bottle.internal/", "policy.bottle.internal")).await;
    let page = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(page.contains("a.example  a credential is put in outside the bottle\n"), "{page}");
    assert!(page.contains("egress.host  GET evil.example\n") && !page.contains("canary"), "{page}");
    let json = send(&mut client, get("http://policy.bottle.internal/policy.json", "policy.bottle.internal")).await;
    assert_eq!(json.headers["content-type"], "application/json");
    let json: serde_json::Value = serde_json::from_slice(&json.body).unwrap();
    assert_eq!((&json["routes"][0]["host"], &json["routes"][0]["credential"]), (&"a.example".into(), &true.into()));
    assert_eq!(json["refused"][0]["code"], "egress.host");
}

#[tokio::test]
async fn own_names_answer_over_tls_and_by_their_addresses() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![], &origin.roots).start();
    let mut client = scene.http2("policy.bottle.internal").await;
    let page = send2(&mut client, get("https://policy.bottle.internal/", "policy.bottle.internal")).await;
    assert!(page.body.ends_with(b"nothing\n"));
    let address = scene.resolve("policy.bottle.internal").await.unwrap();
    let mut client = over(scene.transparent(&format!("{address}:80"))).await;
    assert_eq!(send(&mut client, get("/", "policy.bottle.internal")).await.status, 200);
    assert!(scene.refusals().is_empty());
}

#[tokio::test]
async fn a_service_that_is_not_there_says_so() {
    let origin = Origin::plain().await;
    let scene = Setting::new(vec![], &origin.roots).start();
    let mut client = over(scene.proxy()).await;
    for name in ["git.bottle.internal", "mcp.bottle.internal", "x.bottle.internal"] {
        let got = send(&mut client, get(&format!("http://{name}/"), name)).await;
        assert_eq!((got.status.as_u16(), got.refusal()), (503, "egress.host"));
    }
    assert_eq!(scene.refusals().len(), 3);
}

struct Gate;

#[async_trait]
impl egress::Internal for Gate {
    fn name(&self) -> &'static str {
        "git.bottle.internal"
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<egress::InternalBody> {
        let text = format!("{} {}", request.headers()["host"].to_str().unwrap(), request.uri().path());
        Response::new(Full::from(text).map_err(|never| match never {}).boxed_unsync())
    }
}

#[tokio::test]
async fn services_plug_in_by_name() {
    let origin = Origin::plain().await;
    let scene = Setting { internal: Some(Arc::new(Gate)), ..Setting::new(vec![], &origin.roots) }.start();
    let mut client = over(scene.proxy()).await;
    let got = send(&mut client, get("http://git.bottle.internal/repo.git", "git.bottle.internal")).await;
    assert_eq!(got.body, "git.bottle.internal /repo.git");
}
