use std::fs;
use std::path::Path;
use std::sync::Arc;

use bottle::tree::Source;

use super::certificate::Certificate;
use super::name_hash::name_hash;
use super::{Roots, Trust, TrustError, VARIABLES, places};
use crate::part::Part;

/// An authority whose organization is ` Bot-Bottle  Test`, with the spaces that OpenSSL's hash must not see.
const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIB1zCCAX2gAwIBAgIUDYGZMTzvJ7F2KdaVbLOQ5pSrzkwwCgYIKoZIzj0EAwIw
OTEaMBgGA1UECgwRIEJvdC1Cb3R0bGUgIFRlc3QxGzAZBgNVBAMMEmJvdC1ib3R0
bGUgdGVzdCBDQTAeFw0yNjExMjQwMDI0NDFaFw0zNjExMjEwMDI0NDFaMDkxGjAY
BgNVBAoMESBCb3QtQm90dGxlICBUZXN0MRswGQYDVQQDDBJib3QtYm90dGxlIHRl
c3QgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASE/cecRNp6ah3G95L25ivH
ubjzfCLgQSudZRNMB0yJ2WVMtzYtCpmhfHqNcKvzDUIJ0SW/Wk6JrjRHsLQ0SG47
o2MwYTAdBgNVHQ4EFgQU3MSg7xDDicp3C4RRt7yIUzWADXMwHwYDVR0jBBgwFoAU
3MSg7xDDicp3C4RRt7yIUzWADXMwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8E
BAMCAQYwCgYIKoZIzj0EAwIDSAAwRQIhAMi5KbK63mYiFVaOZk5ep3NInCELuRQE
0pymC4aoXA+eAiB3Ea0otw07SUoneqt7IN2jKssA3o+NUE9HF3xuIb7dBQ==
-----END CERTIFICATE-----
";
/// What OpenSSL 3.0 says of it: `openssl x509 -noout -subject_hash -fingerprint -sha256`.
const HASH: &str = "8d9147cb";
const FINGERPRINT: &str = "3D:E3:EE:E8:3D:5C:A3:48:E5:F7:F6:61:17:B4:25:16:6E:F4:6C:67:1B:6A:9D:BC:E9:BE:AE:75:0F:34:35:8F";

fn trust(roots: &str) -> Trust {
    Trust::new(AUTHORITY, Arc::new(Roots::from_pem(roots))).unwrap()
}

fn authority() -> Certificate {
    Certificate::all_of_pem(AUTHORITY).remove(0)
}

fn part(trust: &Trust, place: &str) -> Part {
    let parts = trust.parts().unwrap();
    parts.into_iter().find(|part| part.at.as_path() == Path::new(place)).unwrap_or_else(|| panic!("nothing at {place}"))
}

fn content(trust: &Trust, place: &str) -> Vec<u8> {
    match part(trust, place).source {
        Source::File { content, mode: 0o644 } => content,
        other => panic!("{place}: {other:?}"),
    }
}

#[test]
fn fingerprint_and_hash_are_those_of_openssl() {
    let trust = trust("");
    assert_eq!(trust.fingerprint(), FINGERPRINT);
    let link = part(&trust, &format!("/etc/ssl/certs/{HASH}.0"));
    assert!(matches!(link.source, Source::Link { target } if target == Path::new("/etc/ssl/certs/bot-bottle.pem")));
}

#[test]
fn every_root_of_this_machine_has_the_hash_that_its_link_is_named_by() {
    let links = fs::read_dir("/etc/ssl/certs").into_iter().flatten().flatten().map(|entry| entry.path());
    let links: Vec<_> = links.filter(|path| path.extension().is_some_and(|end| end == "0")).collect();
    for link in links {
        let text = fs::read_to_string(&link).unwrap();
        let certificate = Certificate::all_of_pem(&text).remove(0);
        assert_eq!(name_hash(&certificate).as_deref(), link.file_stem().and_then(|stem| stem.to_str()), "{}", link.display());
    }
}

#[test]
fn the_bundle_is_the_authority_and_then_the_roots_and_nothing_else() {
    let key = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5LWtleS0wZjMx\n-----END PRIVATE KEY-----\n";
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nnot base 64\n";
    let roots = format!("# a comment\n{key}{}{broken}", AUTHORITY.replace('\n', "\r\n"));
    let bundle = String::from_utf8(content(&trust(&roots), "/etc/ssl/certs/ca-certificates.crt")).unwrap();
    assert_eq!(bundle, [AUTHORITY, AUTHORITY].concat());
    let own = content(&trust(&roots), "/usr/local/share/ca-certificates/bot-bottle.crt");
    assert_eq!(String::from_utf8(own).unwrap(), AUTHORITY);
}

#[test]
fn the_key_store_holds_every_certificate_under_a_name_of_its_own() {
    let store = content(&trust(AUTHORITY), "/etc/ssl/certs/java/cacerts");
    assert_eq!(store.get(..12), Some(&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 2][..]));
    let count = |bytes: &[u8]| store.windows(bytes.len()).filter(|window| *window == bytes).count();
    assert_eq!((count(authority().der()), count(b"\0\x0abot-bottle"), count(b"\0\x06host-0")), (2, 1, 1));
}

#[test]
fn an_authority_is_one_certificate() {
    let error = |text: &str| Trust::new(text, Arc::default()).unwrap_err();
    assert_eq!(error(""), TrustError::Authority(0));
    assert_eq!(error(&[AUTHORITY, AUTHORITY].concat()), TrustError::Authority(2));
}

#[test]
fn a_certificate_that_is_cut_short_or_goes_on_is_none() {
    let whole = authority().der().to_vec();
    for length in 0..whole.len() {
        assert_eq!(Certificate::from_der(whole[..length].to_vec()), None, "{length}");
    }
    assert_eq!(Certificate::from_der([whole, vec![0]].concat()), None);
    // A length that no memory holds.
    assert_eq!(Certificate::from_der(vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0]), None);
}

#[test]
fn places_are_known_before_the_authority_and_variables_name_the_bundle() {
    let parts = trust("").parts().unwrap();
    let places: Vec<_> = places().collect();
    let unknown = parts.iter().filter(|part| !places.iter().any(|place| part.at.as_path() == Path::new(place)));
    let unknown: Vec<_> = unknown.map(|part| part.at.to_string()).collect();
    assert_eq!(unknown, [format!("/etc/ssl/certs/{HASH}.0")]);
    assert!(VARIABLES.iter().all(|(_, value)| places.contains(value)));
}
