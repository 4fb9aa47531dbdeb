//! Stops programs in the moment before they begin, when they already have their user but are still the helper.

use std::io::Read;
use std::time::Duration;

use bottle::{Exec, ExecError, Stdio, User};

use super::Arena;

/// Children of the watchers, which are children of PID 1, as long as they have the helper's name.
const STOPPER: &str = r#"
def stat_of(process):
    with open(f"/proc/{process}/stat") as file:
        name, rest = file.read().rsplit(")", 1)
    return name.split("(", 1)[1], int(rest.split()[1])
own = stat_of(1)[0]
print("ready", flush=True)
while True:
    for process in others():
        try:
            name, parent = stat_of(process)
            if name == own and parent > 1 and stat_of(parent)[1] == 1:
                os.kill(process, signal.SIGSTOP)
        except (OSError, ValueError):
            pass
"#;
/// Ends a test that would hang.
const BOUND: Duration = Duration::from_secs(60);

/// Whoever asks for a program that was stopped so is told, and is not kept waiting for ever; the bottle goes on.
pub async fn stopped_start(arena: &Arena) {
    for user in [User::Node, User::Root] {
        let subject = arena.bottle().await;
        let (stdin, typed) = std::io::pipe().expect("a pipe");
        let (mut read, stdout) = std::io::pipe().expect("a pipe");
        let stderr = stdout.try_clone().expect("a second descriptor");
        let streams = Stdio::Streams { stdin: stdin.into(), stdout: stdout.into(), stderr: stderr.into() };
        let stopper = subject.bottle.spawn(subject.program(user, STOPPER, &[]), streams).await.expect("it runs");
        read.read_exact(&mut [0; 6]).expect("a line");
        // Every part of such a PATH is tried in turn: the moment is a long one.
        let path = vec!["/nowhere"; 10_000].join(":") + ":/usr/bin:/bin";
        let mut stopped = false;
        for _ in 0..100 {
            let exec = Exec::new("true").user(user).env("PATH", path.as_str());
            match tokio::time::timeout(BOUND, subject.bottle.exec(exec)).await.expect("nobody waits for ever") {
                Ok(output) => assert!(output.status.success(), "{output:?}"),
                Err(ExecError::Failed { reason, .. }) => {
                    assert!(reason.contains("stopped it before it began"), "{reason}");
                    stopped = true;
                    break;
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert!(stopped, "the attack never hit");
        stopper.control.kill().await.expect("it is killed");
        stopper.control.wait().await.expect("it ends");
        subject.assert_usable().await;
        subject.bottle.close().await.expect("it closes");
        drop(typed);
    }
}
