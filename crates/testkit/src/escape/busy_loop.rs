//! Burns all processors.

use bottle::{Limits, User};

use super::Arena;

/// `limits.cpus` holds several loops at once to their share: processor time against time on the wall.
pub async fn busy_loop(arena: &Arena) {
    let limits = Limits { cpus: Some(0.25), ..Limits::default() };
    let Some(subject) = arena.limited(limits, |support| &support.cpus).await else { return };
    let burn = r#"
import time
begin, end = time.monotonic(), time.monotonic() + 1.0
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        while time.monotonic() < end:
            pass
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
used, passed = time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) + sum(os.times()[2:4]), time.monotonic() - begin
held(f"{used:.2f} s of processor in {passed:.2f} s", used < 0.5 * passed)
held("it ran at all", used > 0)
"#;
    subject.attack_as(User::Node, burn, &[]).await;
}
