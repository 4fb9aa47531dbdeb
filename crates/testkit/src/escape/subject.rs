use std::sync::Arc;
use std::time::Duration;

use bottle::{Arrival, Bottle, Boundary, Destination, Exec, ExecError, GuestPath, Launched, Output, User};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

/// Ends a script that would hang; far beyond what any takes.
const BOUND: Duration = Duration::from_secs(120);
const PRELUDE: &str = include_str!("prelude.py");

/// The bottle under attack, with somebody at its outlet who notes what arrives and closes it.
pub struct Subject {
    /// The bottle.
    pub bottle: Arc<dyn Bottle>,
    arrivals: UnboundedReceiver<Destination>,
    outlet: JoinHandle<()>,
}

impl Subject {
    /// Takes over a bottle.
    pub fn new(launched: Launched) -> Self {
        let Launched { bottle, mut outlet } = launched;
        let (sender, arrivals) = unbounded_channel();
        let outlet = tokio::spawn(async move {
            while let Ok(Arrival::Stream { destination, .. } | Arrival::Datagram { destination, .. }) = outlet.accept().await {
                if sender.send(destination).is_err() {
                    return;
                }
            }
        });
        Self { bottle, arrivals, outlet }
    }

    /// Runs a script as `node`, then as the bottle's root; everything it tries must be refused.
    pub async fn attack(&self, script: &str, args: &[&str]) {
        for user in [User::Node, User::Root] {
            self.attack_as(user, script, args).await;
        }
    }

    /// Runs a script as `user`; everything it tries must be refused. Gives what it printed.
    ///
    /// # Panics
    /// When the script found a hole, failed otherwise, or tried nothing.
    pub async fn attack_as(&self, user: User, script: &str, args: &[&str]) -> String {
        let output = self.run(user, script, args).await.expect("the script runs");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "as {user}: {:?}\n{out}{err}", output.status);
        let (printed, tried) = out.trim_end().rsplit_once("refused: ").expect("the script counts what it tried");
        assert_ne!(tried, "0", "as {user}: the script tried nothing");
        printed.to_owned()
    }

    /// Runs a script and gives what came of it.
    pub async fn run(&self, user: User, script: &str, args: &[&str]) -> Result<Output, ExecError> {
        self.bottle.exec(self.program(user, script, args).deadline(BOUND)).await
    }

    /// A script as a program to run, which knows what sort of bottle it is in.
    pub fn program(&self, user: User, script: &str, args: &[&str]) -> Exec {
        let capabilities = self.bottle.capabilities();
        let own_kernel = matches!(capabilities.boundary, Boundary::UserSpaceKernel | Boundary::VirtualMachine);
        let python = |fact: bool| if fact { "True" } else { "False" };
        let facts = format!("OWN_KERNEL, TRANSPARENT = {}, {}\n", python(own_kernel), python(capabilities.transparent));
        program(user, &(facts + script), args)
    }

    /// What a healthy bottle does: a program runs.
    pub async fn assert_usable(&self) {
        let output = self.bottle.exec(Exec::new("true").deadline(BOUND)).await.expect("the bottle is usable");
        assert!(output.status.success(), "{output:?}");
    }

    /// Waits for the next `count` arrivals at the outlet.
    pub async fn arrivals(&mut self, count: usize) -> Vec<Destination> {
        let mut arrived = Vec::with_capacity(count);
        while arrived.len() < count {
            arrived.push(self.arrivals.recv().await.expect("the outlet is open"));
        }
        arrived
    }

    /// Whether something has arrived that [`Subject::arrivals`] did not take.
    pub fn nothing_else_arrived(&mut self) -> bool {
        self.arrivals.try_recv().is_err()
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        self.outlet.abort();
    }
}

/// A script as a program to run.
pub fn program(user: User, script: &str, args: &[&str]) -> Exec {
    let text = format!("{PRELUDE}\n{script}\nprint('refused:', tried)\n");
    // -I: neither the folder nor the environment can bring other modules in.
    let folder = GuestPath::parse("/tmp").expect("a legal path");
    Exec::new("python3").args(["-I", "-B", "-c", &text]).args(args).user(user).folder(folder)
}
