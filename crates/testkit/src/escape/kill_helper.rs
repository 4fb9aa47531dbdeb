//! Kills, stops and starves the processes that hold the bottle together.

use bottle::{Exec, ExecError, User, Users};

use super::{Arena, CanaryFile};

/// PID 1 cannot be killed from inside; without its watchers a bottle is not more open than before, and closes.
pub async fn kill_helper(arena: &Arena) {
    let canary = CanaryFile::plant(std::path::Path::new("/tmp")).expect("a canary in /tmp");
    for user in [User::Node, User::Root] {
        let subject = arena.bottle().await;
        let signals = r#"
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGSTOP, signal.SIGKILL, signal.SIGSEGV, signal.SIGCHLD):
    try:
        os.kill(1, number)
    except PermissionError:
        pass
    held(f"PID 1 survives {number}", os.path.exists("/proc/1/stat"))
"#;
        subject.attack_as(user, signals, &[]).await;
        subject.assert_usable().await;
        // Without descriptors, memory or time the helper would lose requests in silence.
        let limits = r#"
import resource, struct
for resource_kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE):
    for process in others():
        attempt = lambda: call(NR["prlimit64"], process, resource_kind, struct.pack("=QQ", 0, 0), None)
        refused(f"limit {resource_kind} of process {process}", attempt, REFUSED + (errno.ESRCH,))
        refused("the same behind high bits", lambda: call(NR["prlimit64"], process | 1 << 32, resource_kind, struct.pack("=QQ", 0, 0), None), REFUSED + (errno.ESRCH,))
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
held("one's own limits are one's own", resource.getrlimit(resource.RLIMIT_NOFILE) == (soft - 1, hard))
"#;
        subject.attack_as(user, limits, &[]).await;
        subject.assert_usable().await;
        let watchers = r#"
for number in (signal.SIGSTOP, signal.SIGKILL):
    for process in others():
        try:
            os.kill(process, number)
        except OSError:
            pass
for path in sys.argv[1:]:
    absent(path)
"#;
        let canary = canary.path().display().to_string();
        let ran = subject.run(user, watchers, &[&[canary.as_str()][..], &arena.of_the_host(&["/etc/shadow"])].concat()).await;
        match (ran, arena.capabilities().users) {
            (Ok(output), Users::Separate) => assert!(output.status.success(), "{output:?}"),
            (Err(ExecError::Gone { .. }), Users::Separate) => {}
            // The bottle ends, and whoever waits for a program in it is told why; so is whoever asks for the next.
            (Err(ExecError::Ended { reason, .. }), Users::Shared) => {
                assert!(reason.contains("a process that holds the bottle together was "), "{reason}");
                let next = subject.bottle.exec(Exec::new("true")).await;
                assert!(matches!(&next, Err(ExecError::Ended { reason: again, .. }) if *again == reason), "{next:?}");
            }
            (other, users) => panic!("{users:?}: {other:?}"),
        }
        subject.bottle.close().await.expect("it closes");
    }
    canary.assert_untouched();
}
