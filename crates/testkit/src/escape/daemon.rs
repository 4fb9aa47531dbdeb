//! Leaves a daemon behind: forked twice, in a session of its own, deaf to signals.

use std::io::Read;

use bottle::{Stdio, User};

use super::Arena;

const DAEMON: &str = r#"
for number in range(1, 32):
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_IGN)
os.fork() and os._exit(0)
os.setsid()
os.fork() and os._exit(0)
os.write(1, b"daemon\n")
while True:
    signal.pause()
"#;

/// It outlives its program, and ends with the bottle: the pipe that it alone holds comes to its end.
pub async fn daemon(arena: &Arena) {
    for user in [User::Node, User::Root] {
        let subject = arena.bottle().await;
        let (stdin, typed) = std::io::pipe().expect("a pipe");
        let (mut read, stdout) = std::io::pipe().expect("a pipe");
        let stderr = stdout.try_clone().expect("a second descriptor");
        let streams = Stdio::Streams { stdin: stdin.into(), stdout: stdout.into(), stderr: stderr.into() };
        let process = subject.bottle.spawn(subject.program(user, DAEMON, &[]), streams).await.expect("it runs");
        assert!(process.control.wait().await.expect("the program ends").success());
        let mut line = [0; 7];
        read.read_exact(&mut line).expect("the daemon speaks after its program's end");
        subject.assert_usable().await;
        subject.bottle.close().await.expect("the bottle closes");
        let rest = tokio::task::spawn_blocking(move || read.read_to_end(&mut Vec::new())).await.expect("no panic");
        assert_eq!(rest.expect("the pipe"), 0, "the daemon is gone");
        drop(typed);
    }
}
