//! Fills the disk: in its home, in /tmp, in /dev/shm, over the system folders.

use bottle::Limits;

use super::Arena;

const LIMIT: u64 = 16 << 20;

/// `limits.disk` holds all places together; programs still start, and space that is freed can be used again.
pub async fn disk_hog(arena: &Arena) {
    let limits = Limits { disk: Some(LIMIT), ..Limits::default() };
    let Some(subject) = arena.limited(limits, |support| &support.disk).await else { return };
    let hog = r#"
limit, written = int(sys.argv[1]), 0
for folder in (os.path.expanduser("~"), "/tmp", "/dev/shm", "/var/tmp", "/run/lock"):
    def fill():
        global written
        with open(f"{folder}/hog", "wb", buffering=0) as file:
            while written <= 2 * limit:
                written += file.write(b"x" * 65536)
    refused(f"filling {folder}", fill, (errno.ENOSPC, errno.EDQUOT))
held(f"{written} bytes are within the limit", written <= limit)
for folder in (os.path.expanduser("~"), "/tmp", "/dev/shm", "/var/tmp", "/run/lock"):
    os.remove(f"{folder}/hog")
open(f"/tmp/again-{os.getuid()}", "wb").write(b"x" * 65536)
"#;
    subject.attack(hog, &[&LIMIT.to_string()]).await;
    subject.assert_usable().await;
}
