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
    /// Whether we had a terminal of our own when we began: its end is what a hang-up tells then.
    terminal: bool,
    /// Is told of a hang-up that is no end of a terminal.
    reload: Option<Arc<Notify>>,
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
            terminal: has_terminal(),
            reload: None,
        })
    }

    /// A handle that ends the session as a signal would.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.stop))
    }

    /// From now on a `SIGHUP` notifies `reload` instead of ending the session, as servers have it; unless it tells that our
    /// terminal is gone, and the person with it.
    pub fn reload_on_hangup(&mut self, reload: Arc<Notify>) {
        self.reload = Some(reload);
    }

    /// Waits for the next one. Safe to cancel.
    pub async fn next(&mut self) -> Caught {
        loop {
            let caught =
                Self::caught(&mut self.interrupt, &mut self.terminate, &mut self.hangup, &mut self.quit, &self.stop).await;
            if self.ends(caught) {
                return caught;
            }
        }
    }

    /// Waits for the next one or a new size of our terminal (`None`). Safe to cancel.
    pub async fn next_or_resize(&mut self) -> Option<Caught> {
        loop {
            let caught = tokio::select! {
                caught = Self::caught(&mut self.interrupt, &mut self.terminate, &mut self.hangup, &mut self.quit, &self.stop) => caught,
                _ = self.resize.recv() => return None,
            };
            if self.ends(caught) {
                return Some(caught);
            }
        }
    }

    async fn caught(
        interrupt: &mut Option<unix::Signal>,
        terminate: &mut Option<unix::Signal>,
        hangup: &mut Option<unix::Signal>,
        quit: &mut Option<unix::Signal>,
        stop: &Notify,
    ) -> Caught {
        tokio::select! {
            () = one(interrupt) => Caught::Signal(Signal::Interrupt),
            () = one(terminate) => Caught::Signal(Signal::Terminate),
            () = one(hangup) => Caught::Signal(Signal::Hangup),
            () = one(quit) => Caught::Signal(Signal::Quit),
            () = stop.notified() => Caught::Stop,
        }
    }

    fn ends(&self, caught: Caught) -> bool {
        match (&self.reload, caught) {
            (Some(reload), Caught::Signal(Signal::Hangup)) if !self.terminal || has_terminal() => {
                reload.notify_one();
                false
            }
            (Some(_) | None, Caught::Signal(_) | Caught::Stop) => true,
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

/// Whether this process has a controlling terminal that still stands (`tty(4)`: opening `/dev/tty` fails without one, and
/// after it was hung up).
fn has_terminal() -> bool {
    let flags =
        rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    rustix::fs::open("/dev/tty", flags, rustix::fs::Mode::empty()).is_ok()
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
