//! Offers files of a terabyte that cost nothing inside, for the host to fill its disk or memory with.

use bottle::tree::{HostFolder, MemorySink, SinkLimits};
use bottle::{CopyError, GuestPath, User};

use super::Arena;

const LIMITS: SinkLimits = SinkLimits { entries: 100, bytes: 1 << 20 };

/// A sink with limits refuses before the first byte, and the bottle goes on.
pub async fn sparse_giant(arena: &Arena) {
    let subject = arena.bottle().await;
    let plant = r#"
os.makedirs("/tmp/giants/many")
with open("/tmp/giants/sparse", "w") as file:
    os.truncate(file.fileno(), 1 << 40)
for number in range(200):
    open(f"/tmp/giants/many/{number}", "w").close()
tried = 1
"#;
    subject.attack_as(User::Node, plant, &[]).await;
    for from in ["/tmp/giants/sparse", "/tmp/giants/many", "/tmp/giants"] {
        let from = GuestPath::parse(from).expect("a legal path");
        let refused = subject.bottle.cp_out(&from, &mut MemorySink::with_limits(LIMITS)).await;
        assert!(matches!(refused, Err(CopyError::Sink { .. })), "{from}: {refused:?}");
        let folder = tempfile::tempdir().expect("a folder");
        let mut sink = HostFolder::create(folder.path().join("out"), LIMITS).expect("a sink");
        let refused = subject.bottle.cp_out(&from, &mut sink).await;
        assert!(matches!(refused, Err(CopyError::Sink { .. })), "{from}: {refused:?}");
    }
    subject.assert_usable().await;
}
