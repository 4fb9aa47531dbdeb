//! The attacks.

use testkit::escape::Arena;

use crate::real::{COMPONENT, Real};

/// What a Debian image has of the paths that attacks look for.
const OWN: &[&str] = &[
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/cron.d",
    "/etc/fstab",
    "/etc/machine-id",
    "/etc/subuid",
    "/var/lib/dpkg",
    "/var/lib/systemd",
    "/var/mail",
    "/var/backups",
    "/boot",
    "/media",
];

async fn arena() -> Option<Arena> {
    Some(Arena::open(Real::new(), COMPONENT).await?.on_an_image(OWN))
}

testkit::escape_suite!(arena());
