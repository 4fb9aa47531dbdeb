//! Reads and writes the host's private files by their usual names.

use super::Arena;

const PRIVATE: &[&str] = &[
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/ssh",
    "/etc/machine-id",
    "/etc/cron.d",
    "/etc/docker",
    "/etc/fstab",
    "/etc/netrc",
    "/etc/subuid",
    "/root/.ssh",
    "/root/.aws",
    "/root/.config",
    "/root/.bash_history",
    "/root/.gnupg",
    "/root/.cargo",
    "/root/.docker",
    "/run/docker.sock",
    "/var/run/docker.sock",
    "/run/containerd",
    "/run/podman",
    "/run/user",
    "/run/systemd",
    "/run/dbus",
    "/run/secrets",
    "/run/udev",
    "/run/lxd",
    "/var/lib/docker",
    "/var/lib/systemd",
    "/var/lib/dpkg",
    "/var/log/syslog",
    "/var/log/auth.log",
    "/var/log/journal",
    "/var/mail",
    "/var/backups",
    "/boot",
    "/lost+found",
    "/media",
    "/snap",
    "/sys/kernel",
    "/sys/fs/cgroup",
    "/sys/class",
    "/sys/firmware",
    "/var/run/secrets/kubernetes.io",
];

/// `node` and the bottle's root look for keys, sockets, other homes and system state of the host.
pub async fn host_files(arena: &Arena) {
    let script = r#"
for path in sys.argv[1:]:
    absent(path)
held("no other home is there", set(os.listdir("/home")) <= {"node"})
for path in walk():
    mode = os.lstat(path).st_mode
    outlet = not TRANSPARENT and path.startswith("/run/bot-bottle/")
    held(f"{path} is no socket of the host", outlet or not stat.S_ISSOCK(mode))
"#;
    arena.bottle().await.attack(script, &arena.of_the_host(PRIVATE)).await;
}
