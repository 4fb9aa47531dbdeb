//! Burns all processors.

use bottle::{Limits, User};

use super::{Arena, Subject};

/// `limits.cpus` holds several loops at once to their share: processor time against time on the wall.
pub async fn busy_loop(arena: &Arena) {
    // Little, where it is compared with what a busy machine leaves to others.
    let share = if arena.has_own_kernel() { 0.1 } else { 0.25 };
    let limits = Limits { cpus: Some(share), ..Limits::default() };
    let Some(subject) = arena.limited(limits, |support| &support.cpus).await else { return };
    if arena.has_own_kernel() {
        return by_work_done(arena, &subject).await;
    }
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

/// A kernel in user space does not know how much of the processor it gets: what gets done in a second is compared with what a bottle
/// without a limit gets done.
async fn by_work_done(arena: &Arena, limited: &Subject) {
    let burn = r#"
import time
reader, writer = os.pipe()
end = time.monotonic() + 2.0
for _ in range(4):
    if os.fork() == 0:
        done = 0
        while time.monotonic() < end:
            done += 1
        os.write(writer, b"%d\n" % done)
        os._exit(0)
for _ in range(4):
    os.wait()
print(sum(map(int, os.read(reader, 4096).split())))
tried = 1
"#;
    let done = async |subject: &Subject| {
        let printed = subject.attack_as(User::Node, burn, &[]).await;
        printed.trim().parse::<u64>().expect("a number")
    };
    let (held, free) = (done(limited).await, done(&arena.bottle().await).await);
    assert!(held > 0 && held < free / 2, "{held} with a tenth of a processor, {free} without a limit");
}
