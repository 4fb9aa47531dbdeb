use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

use super::{BEGIN, END, TrustError, TrustRoots};

fn authority() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (pem("CERTIFICATE", params.self_signed(&key).unwrap().der()), pem("PRIVATE KEY", &key.serialize_der()))
}

fn pem(label: &str, der: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letters = der.chunks(3).flat_map(|chunk| {
        let bits = chunk.iter().fold(0, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        (0..4).map(move |at| if at <= chunk.len() { char::from(LETTERS[(bits >> (18 - 6 * at)) as usize & 63]) } else { '=' })
    });
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", letters.collect::<String>())
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    #[allow(clippy::disallowed_methods, reason = "a test's own folder")]
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn platform_and_named_certificates_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second, named) = (authority().0, authority().0, authority().0);
    let bundle = file(folder.path(), "bundle", &format!("# first\n{first}\n# second\n{second}"));
    let named = file(folder.path(), "named", &named);
    let missing = folder.path().join("missing");
    let roots = TrustRoots::with_platform(vec![missing, bundle.clone(), named.clone()], Some(&named)).unwrap();
    assert_eq!(roots.store().len(), 3);
    assert_eq!(roots.pem_bundle().matches(BEGIN).count(), 3);
    assert!(!roots.pem_bundle().contains('#'));
    assert_eq!(TrustRoots::with_platform(vec![bundle], None).unwrap().store().len(), 2);
}

#[test]
fn a_private_key_in_the_named_file_stays_out_of_the_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = authority();
    let named = file(folder.path(), "both.pem", &format!("{key}{certificate}{key}"));
    let roots = TrustRoots::with_platform(Vec::new(), Some(&named)).unwrap();
    assert_eq!(roots.store().len(), 1);
    assert!(!roots.pem_bundle().contains("PRIVATE"));
}

#[test]
fn what_is_no_certificate_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let good = authority().0;
    for bad in [
        format!("{BEGIN}\nbm90IG9uZQ==\n{END}\n"),
        format!("{BEGIN}\n%%%\n{END}\n"),
        format!("{BEGIN}\ncut off\n"),
        "\u{fffd}".to_owned(),
    ] {
        let bundle = file(folder.path(), "bundle", &format!("{bad}{good}"));
        assert_eq!(TrustRoots::with_platform(vec![bundle], None).unwrap().store().len(), 1, "{bad}");
    }
}

#[test]
fn a_named_file_that_is_of_no_use_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.pem");
    let error = TrustRoots::new(Some(&missing)).unwrap_err();
    assert!(matches!(error, TrustError::Unreadable { .. }) && error.to_string().contains("missing.pem"), "{error}");
    let empty = file(folder.path(), "empty.pem", "no certificate");
    let error = TrustRoots::new(Some(&empty)).unwrap_err();
    assert!(matches!(error, TrustError::Empty { .. }) && error.to_string().contains("empty.pem"), "{error}");
}
