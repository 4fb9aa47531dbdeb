use std::process::{Child, Command, Stdio};

/// A process of the host's that no bottle may see or hit. Ended when dropped.
pub struct Victim {
    child: Child,
    mark: String,
}

impl Victim {
    /// Starts one that waits for ever and has [`Victim::mark`] on its command line.
    #[expect(clippy::disallowed_methods, reason = "an attack on the host's processes needs one of them")]
    pub fn start() -> Self {
        let mark = crate::canary("process");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo; read forever", &mark]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a shell on the host");
        // It runs once it has spoken.
        let mut line = [0u8; 1];
        std::io::Read::read_exact(child.stdout.as_mut().expect("its stdout"), &mut line).expect("a line");
        Self { child, mark }
    }

    /// Its process id on the host.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A word on its command line.
    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _status = self.child.wait();
    }
}
