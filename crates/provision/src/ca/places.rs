//! Where programs look for certificates, by distribution. A program may come from another one than the bottle's system: built on
//! it, linked statically, unpacked from an archive; so all of them exist in every bottle.

use bottle::tree::Source;
use bottle::{GuestPath, GuestPathError};

use crate::part::Part;

/// Our authority's name wherever a name is asked for.
pub(super) const NAME: &str = "bot-bottle";
/// The session's authority alone, where Debian keeps what an administrator adds: `update-ca-certificates`, which the installation
/// of some packages runs, builds the bundle and Java's store anew from what is here.
pub(super) const AUTHORITY: &str = "/usr/local/share/ca-certificates/bot-bottle.crt";
/// Everything: Debian, Ubuntu, Arch, Gentoo, NixOS; what curl, git, Go, GnuTLS and Rust's programs are built to read there.
pub(super) const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
/// The authority among Debian's single ones, from which the installation of a JDK fills Java's store.
pub(super) const SINGLE: &str = "/etc/ssl/certs/bot-bottle.pem";
/// The folder in which OpenSSL looks for an authority by its hash: programs that read neither the bundle nor the variables.
pub(super) const HASHED: &str = "/etc/ssl/certs";
/// Everything for Java: the `cacerts` of Debian's, Arch's and Alpine's JDKs are links to it.
pub(super) const KEY_STORE: &str = "/etc/ssl/certs/java/cacerts";
/// The other distributions' places.
pub(super) const LINKS: [(&str, &str); 9] = [
    // Alpine, Arch, BSD: LibreSSL, and each OpenSSL built with `--openssldir=/etc/ssl`, Python's portable builds among them.
    ("/etc/ssl/cert.pem", BUNDLE),
    // openSUSE
    ("/etc/ssl/ca-bundle.pem", BUNDLE),
    // Fedora, RHEL, Amazon Linux: OpenSSL and curl; Go and Rust's programs look there too.
    ("/etc/pki/tls/cert.pem", BUNDLE),
    ("/etc/pki/tls/certs/ca-bundle.crt", BUNDLE),
    ("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", BUNDLE),
    ("/etc/pki/java/cacerts", KEY_STORE),
    // p11-kit, whose module GnuTLS and NSS read there: Fedora, then openSUSE, then Arch.
    ("/etc/pki/ca-trust/source/anchors/bot-bottle.pem", AUTHORITY),
    ("/etc/pki/trust/anchors/bot-bottle.pem", AUTHORITY),
    ("/etc/ca-certificates/trust-source/anchors/bot-bottle.crt", AUTHORITY),
];

/// Every place whose name is known before there is an authority.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    [AUTHORITY, BUNDLE, SINGLE, KEY_STORE].into_iter().chain(LINKS.iter().map(|(place, _)| *place))
}

/// A file that everybody may read.
pub(super) fn file(at: &str, content: impl Into<Vec<u8>>) -> Result<Part, GuestPathError> {
    Ok(Part::file(GuestPath::parse(at)?, content, 0o644))
}

/// A link.
pub(super) fn link(at: &str, target: &str) -> Result<Part, GuestPathError> {
    Ok(Part { at: GuestPath::parse(at)?, source: Source::Link { target: target.into() } })
}
