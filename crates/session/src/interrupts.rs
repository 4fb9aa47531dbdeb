use std::io;
use std::sync::Arc;

use bottle::Signal;
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::Notify;

/// What asks a session to end, or tells it something, from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caught {
    /// A signal to our process.
    Signal(Signal),
    /// `bot-bottle stop`.
    Stop,
}

/// The signals of this process, from the moment it is made: none of them kills the process any more.
#[derive(Debug)]
pub struct Interrupts {
    interrupt: Option<unix::Signal>,
    terminate: Option<unix::Signal>,
    hangup: Option<unix::Signal>,
    quit: Option<unix::Signal>,
    resize: unix::Signal,
    stop: Arc<Notify>,
}

/// Ends a session from within its process.
#[derive(Debug, Clone)]
pub struct Stopper(Arc<Notify>);

impl Interrupts {
    /// Begins to listen. Needs a running tokio runtime. A signal that our caller had set to be ignored (`nohup`) stays ignored.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn install() -> io::Result<Self> {
        let ignored = ignored_signals();
        let listen = |signal: Signal, kind| {
            let is_ignored = ignored & (1 << (signal.number() - 1)) != 0;
            if is_ignored { Ok(None) } else { unix::signal(kind).map(Some) }
        };
        Ok(Self {
            interrupt: listen(Signal::Interrupt, SignalKind::interrupt())?,
            terminate: listen(Signal::Terminate, SignalKind::terminate())?,
            hangup: listen(Signal::Hangup, SignalKind::hangup())?,
            quit: listen(Signal::Quit, SignalKind::quit())?,
            resize: unix::signal(SignalKind::window_change())?,
            stop: Arc::new(Notify::new()),
        })
    }

    /// A handle that ends the session as a signal would.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.stop))
    }

    /// Waits for the next one. Safe to cancel.
    pub async fn next(&mut self) -> Caught {
        tokio::select! {
            () = one(&mut self.interrupt) => Caught::Signal(Signal::Interrupt),
            () = one(&mut self.terminate) => Caught::Signal(Signal::Terminate),
            () = one(&mut self.hangup) => Caught::Signal(Signal::Hangup),
            () = one(&mut self.quit) => Caught::Signal(Signal::Quit),
            () = self.stop.notified() => Caught::Stop,
        }
    }

    /// Waits for the next one or a new size of our terminal (`None`). Safe to cancel.
    pub async fn next_or_resize(&mut self) -> Option<Caught> {
        // Split borrows: `next` needs all but `resize`.
        tokio::select! {
            () = one(&mut self.interrupt) => Some(Caught::Signal(Signal::Interrupt)),
            () = one(&mut self.terminate) => Some(Caught::Signal(Signal::Terminate)),
            () = one(&mut self.hangup) => Some(Caught::Signal(Signal::Hangup)),
            () = one(&mut self.quit) => Some(Caught::Signal(Signal::Quit)),
            () = self.stop.notified() => Some(Caught::Stop),
            _ = self.resize.recv() => None,
        }
    }
}

impl Stopper {
    /// Asks for the end.
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

impl Caught {
    /// The exit status that says so: 128 and the signal's number; a stop counts as `SIGTERM`.
    pub fn code(self) -> u8 {
        match self {
            Self::Signal(signal) => 128 + signal.number(),
            Self::Stop => 128 + Signal::Terminate.number(),
        }
    }
}

async fn one(signal: &mut Option<unix::Signal>) {
    match signal {
        Some(signal) => {
            if signal.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
        }
        None => std::future::pending().await,
    }
}

/// The signals that our caller has set to be ignored, as a bit set (`SigIgn` of `proc_pid_status(5)`).
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    field.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0)
}
