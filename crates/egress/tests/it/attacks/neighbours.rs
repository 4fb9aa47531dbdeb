//! Two bottles' services beside each other.

use crate::origin::Origin;
use crate::scene::{Setting, exchange, get, over, rule, send, tls_to};

#[tokio::test]
async fn another_bottles_names_authority_and_addresses_mean_nothing() {
    let origin = Origin::tls(&["http/1.1"]).await;
    let ours = Setting::new(vec![rule("a.example", origin.address, |_| {})], &origin.roots).start();
    let theirs = Setting::new(vec![rule("b.example", origin.address, |_| {})], &origin.roots).start();
    // A name of theirs does not exist here, and the address that stands for it stands for one of ours.
    assert_eq!(ours.resolve("b.example").await, None);
    let (here, there) = (ours.resolve("a.example").await.unwrap(), theirs.resolve("b.example").await.unwrap());
    assert_eq!(here, there);
    let mut client = over(ours.tls(ours.transparent(&format!("{there}:443")), "a.example", &[]).await.unwrap()).await;
    assert_eq!(send(&mut client, get("/x", "a.example")).await.body, "hello");
    assert!(ours.tls(ours.transparent(&format!("{there}:443")), "b.example", &[]).await.is_err());
    // Whoever trusts our authority does not trust theirs, for the same name.
    let error = tls_to(theirs.tunnel("b.example:443").await, "b.example", &[], ours.roots_store()).await.unwrap_err();
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    assert!(tls_to(theirs.tunnel("b.example:443").await, "b.example", &[], theirs.roots_store()).await.is_ok());
    // Nor is what one is refused told to the other.
    let page = exchange(theirs.proxy(), b"GET http://policy.bottle.internal/ HTTP/1.0\r\n\r\n").await;
    assert!(page.contains("b.example") && !page.contains("a.example"), "{page}");
}
