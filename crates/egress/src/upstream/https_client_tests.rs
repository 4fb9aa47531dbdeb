use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt as _;
use policy::Code;

use super::HttpsClient;
use crate::upstream::origin_for_tests::{NAME, TestAuthority, TestOrigin, ok};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn posts_and_takes_the_whole_answer() {
    let authority = TestAuthority::new();
    let origin = TestOrigin::tls(authority.acceptor(&["h2", "http/1.1"], |_| ()), 1, |request| async move {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let mut answer =
            ok(format!("{} {} {:?} {:?} {body:?}", parts.method, parts.uri, parts.headers["host"], parts.headers["x-kind"]));
        *answer.status_mut() = StatusCode::BAD_REQUEST;
        answer
    })
    .await;
    let client = HttpsClient::new(authority.roots(), PATIENCE).dialling(origin.address);
    let headers = HeaderMap::from_iter([(http::HeaderName::from_static("x-kind"), HeaderValue::from_static("login"))]);
    let posted = client.post(&format!("https://{NAME}/oauth/token?a=b"), headers, b"grant".to_vec()).await.unwrap();
    assert_eq!(posted.status, StatusCode::BAD_REQUEST);
    assert_eq!(String::from_utf8(posted.body).unwrap(), format!("POST /oauth/token?a=b \"{NAME}\" \"login\" b\"grant\""));
}

#[tokio::test]
async fn refuses_what_is_no_proper_https_url() {
    let client = HttpsClient::new(TestAuthority::new().roots(), PATIENCE);
    for url in [
        "",
        "http://a.example/",
        "https://",
        "https://u:p@a.example/",
        "/path",
        "https://a.example:0x1/",
        "https://127.1/",
        "https://a.example:99999/",
    ] {
        let failure = client.post(url, HeaderMap::new(), Vec::new()).await.unwrap_err();
        assert_eq!(failure.code, Code::BadRequest, "{url}");
    }
    let failure = client.post("https://127.0.0.1/", HeaderMap::new(), Vec::new()).await.unwrap_err();
    assert_eq!(failure.code, Code::PrivateAddress);
    let failure = client.post("https://a.example/", HeaderMap::new(), vec![0; HttpsClient::SENT_MAX + 1]).await.unwrap_err();
    assert_eq!(failure.code, Code::TooLarge);
}

#[tokio::test]
async fn an_answer_that_is_too_long_or_forged_is_an_error() {
    let authority = TestAuthority::new();
    let origin = TestOrigin::tls(authority.acceptor(&[], |_| ()), 1, |_| async { ok(vec![0; HttpsClient::TAKEN_MAX + 1]) }).await;
    let client = HttpsClient::new(authority.roots(), PATIENCE).dialling(origin.address);
    let failure = client.post(&format!("https://{NAME}/"), HeaderMap::new(), Vec::new()).await.unwrap_err();
    assert_eq!(failure.code, Code::UpstreamProtocol);
    let client = HttpsClient::new(TestAuthority::new().roots(), PATIENCE).dialling(origin.address);
    let failure = client.post(&format!("https://{NAME}/"), HeaderMap::new(), Vec::new()).await.unwrap_err();
    assert_eq!(failure.code, Code::UpstreamCertificate);
}

#[tokio::test]
async fn one_that_never_answers_meets_the_deadline() {
    let origin = TestOrigin::raw(|stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let client = HttpsClient::new(TestAuthority::new().roots(), Duration::from_millis(100)).dialling(origin.address);
    let failure = client.post(&format!("https://{NAME}/"), HeaderMap::new(), Vec::new()).await.unwrap_err();
    assert_eq!(failure.code, Code::UpstreamUnreachable);
}
