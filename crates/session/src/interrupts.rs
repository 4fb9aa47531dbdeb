use std::future::poll_fn;
use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::task::Poll;

use bottle::Signal;
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::Notify;

/// What asks a session to end, or tells it something, from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caught {
    /// A signal to our process.
    Signal(Signal),
    /// Another signal that kills whoever does not hear it, by its number.
    Other(u8),
    /// `bot-bottle stop`.
    Stop,
}

/// The signals of this process, from the moment it is made: none of them kills the process any more.
#[derive(Debug)]
pub struct Interrupts {
    heard: Vec<(Caught, unix::Signal)>,
    resize: unix::Signal,
    stop: Arc<Notify>,
    /// Whether we had a terminal of our own when we began: its end is what a hang-up tells then.
    terminal: bool,
    /// Is told of a hang-up that is no end of a terminal.
    reload: Option<Arc<Notify>>,
}

/// What a session ends by in order.
const ENDING: [Signal; 4] = [Signal::Interrupt, Signal::Terminate, Signal::Hangup, Signal::Quit];

/// Every other signal that kills a process and does not tell of a fault in it: `SIGUSR1`, `SIGUSR2`, `SIGALRM`, `SIGSTKFLT`, `SIGXCPU`,
/// `SIGXFSZ`, `SIGVTALRM`, `SIGPROF`, `SIGIO`, `SIGPWR` and those of real time (`signal(7)`). Nobody means anything by them here, but
/// whoever dies by one leaves a terminal in raw mode and a bottle's state behind.
const OTHERS: [u8; 10] = [10, 12, 14, 16, 24, 25, 26, 27, 29, 30];
const REAL_TIME: RangeInclusive<u8> = 34..=64;

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
        let is_ignored = |caught: &Caught| caught.number().is_some_and(|number| ignored & (1 << (number - 1)) != 0);
        let mut heard = Vec::new();
        for caught in ENDING.into_iter().map(Caught::Signal).filter(|caught| !is_ignored(caught)) {
            heard.push((caught, listen(caught)?));
        }
        // The system may have its own use for some of them.
        let others = OTHERS.into_iter().chain(REAL_TIME).map(Caught::Other).filter(|caught| !is_ignored(caught));
        heard.extend(others.filter_map(|caught| Some((caught, listen(caught).ok()?))));
        Ok(Self {
            heard,
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
            let caught = caught(&mut self.heard, &self.stop).await;
            if self.ends(caught) {
                return caught;
            }
        }
    }

    /// Waits for the next one or a new size of our terminal (`None`). Safe to cancel.
    pub async fn next_or_resize(&mut self) -> Option<Caught> {
        loop {
            let caught = tokio::select! {
                caught = caught(&mut self.heard, &self.stop) => caught,
                _ = self.resize.recv() => return None,
            };
            if self.ends(caught) {
                return Some(caught);
            }
        }
    }

    fn ends(&self, caught: Caught) -> bool {
        match (&self.reload, caught) {
            (Some(reload), Caught::Signal(Signal::Hangup)) if !self.terminal || has_terminal() => {
                reload.notify_one();
                false
            }
            (Some(_) | None, Caught::Signal(_) | Caught::Other(_) | Caught::Stop) => true,
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
        128 + self.number().unwrap_or(Signal::Terminate.number())
    }

    /// The signal's number on Linux.
    fn number(self) -> Option<u8> {
        match self {
            Self::Signal(signal) => Some(signal.number()),
            Self::Other(number) => Some(number),
            Self::Stop => None,
        }
    }
}

fn listen(caught: Caught) -> io::Result<unix::Signal> {
    let number = caught.number().ok_or(io::ErrorKind::InvalidInput)?;
    unix::signal(SignalKind::from_raw(number.into()))
}

async fn caught(heard: &mut [(Caught, unix::Signal)], stop: &Notify) -> Caught {
    let signal = poll_fn(|context| {
        let mut came = heard.iter_mut().filter_map(|(caught, signal)| signal.poll_recv(context).is_ready().then_some(*caught));
        came.next().map_or(Poll::Pending, Poll::Ready)
    });
    tokio::select! {
        caught = signal => caught,
        () = stop.notified() => Caught::Stop,
    }
}

/// Whether this process has a controlling terminal that still stands (`tty(4)`: opening `/dev/tty` fails without one, and
/// after it was hung up).
fn has_terminal() -> bool {
    let flags =
        rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    rustix::fs::open("/dev/tty", flags, rustix::fs::Mode::empty()).is_ok()
}

/// The signals that our caller has set to be ignored, as a bit set (`SigIgn` of `proc_pid_status(5)`).
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    field.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0)
}
