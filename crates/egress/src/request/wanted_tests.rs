use http::{Request, Version};
use policy::{Code, Host, Transport};

use super::{Wanted, wanted};
use crate::connection::Entry;
use crate::place::{Named, Place};

fn request(method: &str, uri: &str, hosts: &[&str]) -> Request<()> {
    let request = Request::builder().method(method).uri(uri);
    hosts.iter().fold(request, |request, host| request.header("host", *host)).body(()).unwrap()
}

fn judged(entry: &Entry, request: &Request<()>) -> Result<String, Code> {
    match wanted(entry, request) {
        Ok(Wanted::Tunnel(place)) => Ok(format!("tunnel to {} {}", place.named, place.port)),
        Ok(Wanted::There(place)) => Ok(place.to_string()),
        Ok(Wanted::Here(place)) => Ok(place.to_string()),
        Err(refusal) => Err(refusal.code),
    }
}

fn inside() -> Entry {
    Entry::At(Place::new(Transport::Tls, Named::Host(Host::parse("a.example").unwrap()), 443))
}

#[test]
fn the_proxy_takes_connect_and_absolute_targets() {
    for (method, uri, hosts, expected) in [
        ("CONNECT", "a.example:443", &["a.example:443"][..], Ok("tunnel to a.example 443")),
        ("CONNECT", "A.example:8443", &["a.example"], Ok("tunnel to a.example 8443")),
        ("CONNECT", "a.example:443", &[], Ok("tunnel to a.example 443")),
        ("CONNECT", "[2001:db8::1]:443", &["[2001:db8::1]:443"], Ok("tunnel to 2001:db8::1 443")),
        ("CONNECT", "policy.bottle.internal:443", &[], Ok("tunnel to policy.bottle.internal 443")),
        ("CONNECT", "a.example:443", &["b.example:443"], Err(Code::Authority)),
        ("CONNECT", "a.example:443", &["a.example:80"], Err(Code::Authority)),
        ("CONNECT", "a.example", &["a.example"], Err(Code::BadRequest)),
        ("CONNECT", "http://a.example:443/", &["a.example:443"], Err(Code::BadRequest)),
        ("CONNECT", "/a.example:443", &["a.example:443"], Err(Code::BadRequest)),
        ("CONNECT", "2130706433:443", &[], Err(Code::BadRequest)),
        ("CONNECT", "a.example.:443", &[], Err(Code::BadRequest)),
        ("CONNECT", "allowed@evil.example:443", &[], Err(Code::BadRequest)),
        ("GET", "http://a.example/x", &["a.example"], Ok("http://a.example")),
        ("GET", "http://a.example:8080/x", &["a.example:8080"], Ok("http://a.example:8080")),
        ("GET", "http://a.example/x", &[], Ok("http://a.example")),
        ("GET", "http://a.example/x", &["b.example"], Err(Code::Authority)),
        ("GET", "http://a.example/x", &["a.example:81"], Err(Code::Authority)),
        ("GET", "http://a.example/x", &["a.example", "a.example"], Err(Code::BadRequest)),
        ("GET", "http://allowed@a.example/x", &["a.example"], Err(Code::BadRequest)),
        ("GET", "https://a.example/x", &["a.example"], Err(Code::BadRequest)),
        ("GET", "http://a.example", &["a.example"], Ok("http://a.example")),
        ("GET", "http://a.example?x", &["a.example"], Ok("http://a.example")),
        ("GET", "http://a.example#x", &["a.example"], Err(Code::BadRequest)),
        ("GET", "/x", &["a.example"], Err(Code::BadRequest)),
        ("OPTIONS", "*", &["a.example"], Err(Code::BadRequest)),
    ] {
        assert_eq!(judged(&Entry::Proxy, &request(method, uri, hosts)), expected.map(str::to_owned), "{method} {uri} {hosts:?}");
    }
}

#[test]
fn inside_a_connection_every_name_is_its_own() {
    for (method, uri, hosts, expected) in [
        ("GET", "/x", &["a.example"][..], Ok("https://a.example")),
        ("GET", "/x", &["A.EXAMPLE:443"], Ok("https://a.example")),
        ("GET", "https://a.example/x", &[], Ok("https://a.example")),
        ("OPTIONS", "*", &["a.example"], Ok("https://a.example")),
        ("GET", "*", &["a.example"], Err(Code::BadRequest)),
        ("GET", "a.example", &["a.example"], Err(Code::BadRequest)),
        ("GET", "https://a.example#x", &["a.example"], Err(Code::BadRequest)),
        ("GET", "/x", &["b.example"], Err(Code::Authority)),
        ("GET", "/x", &["a.example."], Err(Code::Authority)),
        ("GET", "/x", &["a.example:80"], Err(Code::Authority)),
        ("GET", "https://b.example/x", &["a.example"], Err(Code::Authority)),
        ("GET", "https://a.example/x", &["b.example"], Err(Code::Authority)),
        ("GET", "https://allowed@a.example/x", &["a.example"], Err(Code::Authority)),
        ("GET", "http://a.example/x", &["a.example"], Err(Code::BadRequest)),
        ("GET", "/x", &["a.example", "a.example"], Err(Code::BadRequest)),
        ("GET", "/x", &[], Err(Code::BadRequest)),
        ("CONNECT", "a.example:443", &["a.example"], Err(Code::BadRequest)),
    ] {
        assert_eq!(judged(&inside(), &request(method, uri, hosts)), expected.map(str::to_owned), "{method} {uri} {hosts:?}");
    }
    let mut old = request("GET", "/x", &[]);
    *old.version_mut() = Version::HTTP_10;
    assert_eq!(judged(&inside(), &old), Ok("https://a.example".to_owned()));
}
