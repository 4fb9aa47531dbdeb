//! Paths that look allowed and are not, to a server that reads them in its own way.

use http::Request;
use http_body_util::Full;
use policy::{Method, PathMatch, PathValue, RequestMatch};
use testkit::http2::{Frame, literal};

use super::http2::get as fields;
use super::trial::Trial;
use crate::http2::client::Client;
use crate::origin::Origin;
use crate::scene::{Scene, Setting, exchange, rule, send};

/// `GET` and `POST` below `/api`, and nothing else.
async fn scene(origin: &Origin) -> Scene {
    let matches = RequestMatch {
        paths: vec![PathMatch::Prefix(PathValue::parse("/api").unwrap())],
        methods: ["GET", "POST"].map(|method| Method::parse(method).unwrap()).to_vec(),
        ..RequestMatch::default()
    };
    Setting::new(vec![rule("a.example", origin.address, |route| route.matches = vec![matches])], &origin.roots).start()
}

const TRICKS: [&str; 48] = [
    "/admin",
    "/",
    "/API",
    "/Api/x",
    "/apiary",
    "/api.",
    "/api../admin",
    "/api./x",
    "/api/../admin",
    "/api/./../admin",
    "/api/x/../../admin",
    "/api/..",
    "/../api/../admin",
    "/api/%2e%2e/admin",
    "/api/%2E%2e/admin",
    "/api/.%2e/admin",
    "/api/%2e%2e%2fadmin",
    "/api/..%2fadmin",
    "/api/..%5cadmin",
    "/api/..\\admin",
    "/api\\..\\admin",
    "/api/%252e%252e/admin",
    "/api/%25252e%25252e/admin",
    "/api/..%252fadmin",
    "/api/..;/admin",
    "/api/..;x=1/admin",
    "/api;/../admin",
    "/api/%2e%2e;/admin",
    "/api/.../admin",
    "/api/.. /admin",
    "/api/..%20/admin",
    "/api/..%09/admin",
    "/api/..%00/admin",
    "/api%00/admin",
    "/api/%c0%ae%c0%ae/admin",
    "/api/%uff0e%uff0e/admin",
    "/api/%ef%bc%8e%ef%bc%8e/admin",
    "/api/%e2%80%a5/admin",
    "/api/%",
    "/api/%2",
    "//admin",
    "//api/x",
    "/api//../admin",
    "/x/../api",
    "/admin/..;/api/x",
    "/admin%3f/../api",
    "/admin%23/../api",
    "/admin%2f..%2fapi",
];

#[tokio::test]
async fn path_tricks() {
    let origin = Origin::plain().await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    for path in TRICKS {
        let request = format!("GET http://a.example{path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
        let answer = exchange(scene.proxy(), request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
        let code = trial.code(path);
        assert!(["egress.path", "egress.request", "egress.malformed"].contains(&code.as_str()), "{path}: {code}");
    }
    assert!(origin.seen().is_empty());
    for path in ["/api", "/api/", "/api/x", "/%61pi/%78", "/api/x.y/..z", "/api/@scope/name?../../admin"] {
        let request = format!("GET http://a.example{path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
        assert!(exchange(scene.proxy(), request.as_bytes()).await.ends_with("hello"), "{path}");
    }
    trial.none("honest paths");
}

#[tokio::test]
async fn path_tricks_over_http2() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    let paths = TRICKS.into_iter().chain(["api/x", "http://a.example/api", "http://b.example/api", "*", ""]);
    for path in paths {
        let mut client = Client::new(&scene).await;
        client.send(&[Frame::request(1, literal(&fields("a.example", path)))]).await;
        client.answer(1).await;
        let code = trial.code(path);
        assert!(["egress.path", "egress.request", "egress.malformed"].contains(&code.as_str()), "{path}: {code}");
    }
    assert!(origin.seen().is_empty());
}

/// Frameworks that expect a proxy of their own in front believe its headers more than the request.
#[tokio::test]
async fn headers_that_name_another_path_host_or_method() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    let mut client = scene.https("a.example").await;
    let headers = [
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("x-override-url", "/admin"),
        ("x-original-uri", "/admin"),
        ("x-forwarded-uri", "/admin"),
        ("x-forwarded-prefix", "/admin"),
        ("x-ms-original-url", "/admin"),
        ("x-envoy-original-path", "/admin"),
        ("script-name", "/admin"),
        ("x-forwarded-host", "b.example"),
        ("x-forwarded-server", "b.example"),
        ("x-original-host", "b.example"),
        ("x-host", "b.example"),
        ("x-http-host-override", "b.example"),
        ("forwarded", "host=b.example"),
        ("x_original_url", "/admin"),
        ("x_http_method_override", "DELETE"),
        ("content_length", "5"),
    ];
    let mut request = Request::get("/api/x").header("host", "a.example").body(Full::default()).unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    assert_eq!(send(&mut client, request).await.body, "hello");
    for (name, _) in headers {
        assert!(!origin.seen()[0].headers.contains_key(name), "{name}");
    }
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        let request = Request::post("/api/x").header("host", "a.example").header(name, "DELETE").body(Full::default()).unwrap();
        assert_eq!(send(&mut client, request).await.refusal(), "egress.request");
        assert_eq!(trial.code(name), "egress.request");
    }
    assert_eq!(origin.seen().len(), 1);
}

#[tokio::test]
async fn methods_that_resemble_an_allowed_one() {
    let origin = Origin::plain().await;
    let scene = scene(&origin).await;
    let mut trial = Trial::of(&scene);
    for (method, code) in
        [("DELETE", "egress.request"), ("get", "egress.request"), ("GETS", "egress.request"), ("G\u{1d31}T", "egress.protocol")]
    {
        let request = format!("{method} http://a.example/api HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
        trial.at_the_proxy(&request, code).await;
    }
    assert!(origin.seen().is_empty());
}
