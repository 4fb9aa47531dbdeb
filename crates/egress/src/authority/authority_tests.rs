use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::ServerName;

use super::{Authority, LEAVES};
use crate::trust::crypto;

/// What a client says that trusts this authority alone.
fn handshake(authority: &Authority, config: &str, asked: &str) -> Result<rustls::ClientConnection, rustls::Error> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.0.certificate.clone()).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(crypto()).with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(asked.to_owned()).unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = rustls::ServerConnection::new(authority.config(config).unwrap()).unwrap();
    for _ in 0..4 {
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets()?;
        bytes.clear();
        server.write_tls(&mut bytes).unwrap();
        client.read_tls(&mut bytes.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    assert!(!client.is_handshaking());
    Ok(client)
}

#[test]
fn leaves_are_for_names_and_for_addresses() {
    let authority = Authority::new().unwrap();
    for name in ["api.example.org", "192.0.2.7", "2001:db8::1", &format!("{}.example.org", "long.".repeat(20))] {
        let name = name.replace("..", ".");
        handshake(&authority, &name, &name).unwrap();
    }
    assert!(handshake(&authority, "api.example.org", "evil.example.org").is_err());
    assert!(handshake(&authority, "api.example.org", "192.0.2.7").is_err());
}

#[test]
fn nobody_trusts_another_bottles_authority() {
    let (ours, theirs) = (Authority::new().unwrap(), Authority::new().unwrap());
    let mixed = Authority(Arc::new(super::Inner {
        certificate: ours.0.certificate.clone(),
        issuer: rcgen::Issuer::new(rcgen::CertificateParams::default(), rcgen::KeyPair::generate().unwrap()),
        leaf: rcgen::KeyPair::generate().unwrap(),
        leaf_signer: Arc::clone(&theirs.0.leaf_signer),
        provider: crypto(),
        tickets: Arc::clone(&theirs.0.tickets),
        ready: std::sync::Mutex::default(),
    }));
    assert!(handshake(&mixed, "a.example", "a.example").is_err());
    assert_ne!(ours.certificate_pem(), theirs.certificate_pem());
}

#[test]
fn leaves_are_kept_and_their_number_is_bounded() {
    let authority = Authority::new().unwrap();
    let first = authority.config("a.example").unwrap();
    assert!(Arc::ptr_eq(&first, &authority.config("a.example").unwrap()));
    for number in 0..LEAVES + 10 {
        authority.config(&format!("n{number}.example")).unwrap();
    }
    assert!(authority.0.ready.lock().unwrap().len() <= LEAVES);
}

#[test]
fn the_certificate_is_shown_in_pem_and_the_key_never() {
    let authority = Authority::new().unwrap();
    let pem = authority.certificate_pem();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n") && pem.ends_with("-----END CERTIFICATE-----\n"));
    assert!(!pem.contains("KEY"));
    let started = Instant::now();
    authority.config("a.example").unwrap();
    println!("a new host's leaf: {:?}", started.elapsed());
}
