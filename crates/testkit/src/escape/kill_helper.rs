//! Kills, stops and starves the processes that hold the bottle together.

use bottle::{ExecError, User};

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
        match subject.run(user, watchers, &[&[canary.as_str()][..], &arena.of_the_host(&["/etc/shadow"])].concat()).await {
            Ok(output) => assert!(output.status.success(), "{output:?}"),
            Err(ExecError::Gone { .. }) => {}
            Err(other) => panic!("{other}"),
        }
        subject.bottle.close().await.expect("it closes");
    }
    canary.assert_untouched();
}
