//! The attacks.

/// What Debian's base image has of the paths that attacks look for.
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

mod runc {
    use testkit::escape::Arena;

    use crate::engine::TestBackend;

    async fn arena() -> Option<Arena> {
        Some(Arena::open(TestBackend::on("runc"), "docker").await?.on_an_image(super::OWN))
    }

    testkit::escape_suite!(arena());
}

mod runsc {
    use testkit::escape::Arena;

    use crate::engine::TestBackend;

    async fn arena() -> Option<Arena> {
        Some(Arena::open(TestBackend::on("runsc"), "gvisor").await?.on_an_image(super::OWN))
    }

    testkit::escape_suite!(arena());
}
