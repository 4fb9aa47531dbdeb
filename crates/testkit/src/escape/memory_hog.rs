//! Takes memory until none is left: as heap, as shared memory, as files in memory.

use bottle::{ExecError, ExitStatus, Limits, User};

use super::Arena;

const LIMIT: u64 = 128 << 20;

/// `limits.memory` holds it: the hog is killed, and a bottle beside it works.
pub async fn memory_hog(arena: &Arena) {
    let limits = Limits { memory: Some(LIMIT), ..Limits::default() };
    let neighbour = arena.bottle().await;
    let hogs = [
        "keep = []\nwhile len(keep) < 512: keep.append(b'x' * (1 << 20))",
        "file = os.memfd_create('hog')\nfor _ in range(512): os.write(file, b'x' * (1 << 20))",
        "file = open('/dev/shm/hog', 'wb')\nfor _ in range(512): file.write(b'x' * (1 << 20))",
        "file = open('/tmp/hog', 'wb')\nfor _ in range(512): file.write(b'x' * (1 << 20))",
    ];
    // The last one's file is in memory only where all of a bottle's files are.
    for hog in hogs.into_iter().take(if arena.is_on_an_image() { 3 } else { 4 }) {
        let Some(subject) = arena.limited(limits, |support| &support.memory).await else { return };
        match subject.run(User::Node, hog, &[]).await {
            // Killed by the kernel, or told that there is no more.
            Ok(output) => assert!(matches!(output.status, ExitStatus::Signal(9) | ExitStatus::Code(1)), "{hog}: {output:?}"),
            // The kernel may take the whole bottle.
            Err(ExecError::Gone { .. } | ExecError::Ended { .. } | ExecError::Failed { .. }) => {}
            Err(other) => panic!("{hog}: {other}"),
        }
        neighbour.assert_usable().await;
        subject.bottle.close().await.expect("it closes");
    }
}
