//! Looks for files that were planted on the host, by path and by name, and writes to their paths.

use std::path::{Path, PathBuf};

use super::{Arena, CanaryFile};

/// Places that a person's session may be able to write to; all that it can are used.
const PLACES: &[&str] = &[
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/run",
    "/run/lock",
    "/srv",
    "/mnt",
    "/media",
    "/home",
    "/root",
    "/boot",
    "/etc",
    "/etc/ssl",
    "/var/lib",
    "/var/log",
    "/var/cache",
    "/var/spool",
    "/",
];

/// A canary in every place of the host outside the system folders is neither found nor changed.
pub async fn planted_canaries(arena: &Arena) {
    let home = std::env::home_dir().into_iter();
    let places = PLACES.iter().map(PathBuf::from).chain(home);
    let canaries: Vec<CanaryFile> = places.filter_map(|place| CanaryFile::plant(&place)).collect();
    assert!(canaries.iter().any(|canary| canary.path().starts_with("/tmp")), "a canary in /tmp at least");
    let paths: Vec<&str> = canaries.iter().filter_map(|canary| canary.path().to_str()).collect();
    let script = r#"
names = {os.path.basename(path) for path in sys.argv[1:]}
for path in walk():
    held(f"{path} is no file of the host", os.path.basename(path) not in names)
for path in sys.argv[1:]:
    absent(path)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write("overwritten by the bottle")
        os.remove(path)
    except OSError:
        pass
"#;
    arena.bottle().await.attack(script, &paths).await;
    canaries.iter().for_each(CanaryFile::assert_untouched);
    assert!(canaries.iter().all(|canary| Path::new(canary.path()).exists()));
}
