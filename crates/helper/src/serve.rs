//! PID 1 of the bottle: has a process ready for the next request, reaps, and ends when the session ends.
//!
//! A fork takes longer than most of what is between a request and its program. So it is made before the request comes: the *spare*
//! waits on the control stream, serves one request, and says when it has taken it; then PID 1 makes the next one.

use std::cell::RefCell;
use std::collections::HashSet;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, WaitOptions, WaitStatus, getpid, pidfd_open, wait, waitpid};

use crate::family::Families;
use crate::seccomp::Filter;
use crate::step::{During, StepError};
use crate::sys::{self, Fork};
use crate::traced;
use crate::wire::{self, FromExec, Ids, Progress, Request, StartStep};
use crate::{exec, pack, unpack};

/// What PID 1 holds for the programs it starts.
pub struct Helper {
    ids: Ids,
    /// The processes that PID 1 has forked to serve, as far as they live.
    serving: RefCell<HashSet<Pid>>,
    /// The one through which the session speaks, where the control stream does not come from it itself.
    bridge: Option<Pid>,
    node: Option<OwnedFd>,
    families: Families,
    filter: Filter,
    children: OwnedFd,
    /// What those who serve hold as stdin. Opened before anything of the bottle's can put something else in its place.
    null: OwnedFd,
}

/// A process that waits for the next request.
struct Spare {
    pid: Pid,
    /// Becomes readable when it has taken one.
    taken: OwnedFd,
}

/// What came of the spare.
enum News {
    /// It has taken a request: a new one is wanted.
    Taken,
    /// It has met the end of the control stream.
    SessionGone,
}

impl Helper {
    /// Compiles the system call filter once for all programs.
    pub fn new(ids: Ids, node: Option<OwnedFd>, families: Families) -> Result<Self, StepError> {
        sys::forget_signals();
        let filter = Filter::compile(ids).during("compiling the system call filter")?;
        let children = sys::child_signals().during("watching for ended processes")?;
        let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).during("opening /dev/null")?;
        Ok(Self { ids, serving: RefCell::default(), bridge: None, node, families, filter, children, null })
    }

    /// Ends the bottle when this child of PID 1 ends, however: then the session is gone. The control stream would say so too, but not to
    /// everybody who asks for nothing but its end (gVisor).
    pub fn end_with(&mut self, bridge: Pid) {
        self.bridge = Some(bridge);
    }

    /// Makes the bottle's life depend on another child of PID 1, as on the processes that serve.
    pub fn depend_on(&self, child: Pid) {
        self.serving.borrow_mut().insert(child);
    }

    /// How ids are mapped.
    pub fn ids(&self) -> Ids {
        self.ids
    }

    /// The user namespace for `node`, where only one id is mapped.
    pub fn node(&self) -> Option<&OwnedFd> {
        self.node.as_ref()
    }

    /// How its programs are told apart.
    pub fn families(&self) -> &Families {
        &self.families
    }

    /// The filter that every program gets.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Tells the session that the bottle is ready and hands the listeners over, `ports` in the order of `listeners`.
    pub fn announce(
        self,
        control: BorrowedFd<'_>,
        (ports, listeners): (Vec<u16>, Vec<OwnedFd>),
        remarks: Vec<String>,
    ) -> Result<Self, StepError> {
        let pidfd = pidfd_open(getpid(), PidfdFlags::empty()).during("opening a pidfd of PID 1")?;
        let fds: Vec<_> = std::iter::once(&pidfd).chain(&listeners).map(AsFd::as_fd).collect();
        let ready = Progress::Ready { ports, remarks };
        wire::send_frame(control, &ready, &fds).during("telling the session that the bottle is ready")?;
        Ok(self)
    }

    /// Serves until the control stream ends, which it does when the session dies, whatever kills it. When this process
    /// ends, the kernel kills everything else in its process namespace.
    pub fn serve(&self, control: BorrowedFd<'_>) -> Result<(), StepError> {
        // After the bottle was announced, because it takes as long as half of the rest; before any request is read.
        self.filter.confine_helper().during("installing the system call filter")?;
        let mut spare = None;
        let mut reaped = Reaped::All;
        loop {
            // Without one, because the process table is full, PID 1 takes requests itself.
            spare = spare.or_else(|| self.fork_spare(control));
            let requests = if spare.is_some() { PollFlags::empty() } else { PollFlags::IN };
            let mut polled = vec![PollFd::from_borrowed_fd(control, requests), PollFd::new(&self.children, PollFlags::IN)];
            polled.extend(spare.iter().map(|spare| PollFd::new(&spare.taken, PollFlags::IN)));
            let at_once = Timespec::default();
            match poll(&mut polled, (reaped == Reaped::More).then_some(&at_once)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error).during("waiting for requests"),
            }
            let [asked, _, taken] = [0, 1, 2].map(|at| polled.get(at).is_some_and(|fd| !fd.revents().is_empty()));
            let _ = rustix::io::read(&self.children, &mut [0u8; 128]);
            reaped = self.reap()?;
            if reaped == Reaped::Bridge {
                return Ok(());
            }
            match (asked, &spare) {
                // Nothing but its end is looked for.
                (true, Some(_)) => return Ok(()),
                (true, None) => match wire::receive_frame::<Request>(control) {
                    Ok(Some((request, fds))) => self.fork_for(request, fds),
                    Ok(None) => return Ok(()),
                    Err(error) => return Err(error).during("reading a request"),
                },
                (false, _) => {}
            }
            if let Some(said) = spare.take_if(|_| taken) {
                match self.heed(&said)? {
                    News::Taken => {}
                    News::SessionGone => return Ok(()),
                }
            }
        }
    }

    /// Finds out why the spare's pipe can be read. Without its word it has ended, and its status tells why: were it killed in the middle
    /// of a request, whoever reads next would take the rest for a request of its own. The pipe closes before the process can be
    /// waited for, so that this waits; a stop ends the wait as an end does.
    fn heed(&self, spare: &Spare) -> Result<News, StepError> {
        if rustix::io::retry_on_intr(|| rustix::io::read(&spare.taken, &mut [0u8; 1])).during("listening to the spare")? > 0 {
            return Ok(News::Taken);
        }
        // It may have been reaped already, which found nothing wrong with it.
        if self.serving.borrow().contains(&spare.pid) {
            let ended =
                rustix::io::retry_on_intr(|| waitpid(Some(spare.pid), WaitOptions::UNTRACED)).during("waiting for the spare")?;
            if let Some((pid, status)) = ended {
                self.judge(pid, status)?;
            }
        }
        Ok(News::SessionGone)
    }

    /// Makes a process that waits for the next request. `None` where the process table is full.
    fn fork_spare(&self, control: BorrowedFd<'_>) -> Option<Spare> {
        let (taken, taker) = pipe_with(PipeFlags::CLOEXEC).ok()?;
        match sys::fork() {
            Ok(Fork::Parent(pid)) => {
                self.serving.borrow_mut().insert(pid);
                Some(Spare { pid, taken })
            }
            Ok(Fork::Child) => {
                drop(taken);
                match wire::receive_frame::<Request>(control) {
                    Ok(Some((request, fds))) => self.serve_one(request, fds, Taken(Some(taker))),
                    Ok(None) => std::process::exit(0),
                    // What is left of the request cannot be told from the next one.
                    Err(_) => std::process::exit(1),
                }
            }
            Err(_) => None,
        }
    }

    /// The rest of a forked process's life.
    fn serve_one(&self, request: Request, fds: Vec<OwnedFd>, taken: Taken) -> ! {
        // Only PID 1 and the spare have to do with the control stream.
        let left = rustix::stdio::dup2_stdin(&self.null);
        if left.is_ok() {
            self.answer(request, fds, &taken);
        }
        drop(taken);
        std::process::exit(left.is_err().into())
    }

    fn answer(&self, request: Request, fds: Vec<OwnedFd>, taken: &Taken) {
        match request {
            // It forks once more, and the two forks would be in each other's way.
            Request::Spawn(spawn) => exec::watch(self, spawn, fds, taken),
            Request::Unpack(unpack) => {
                taken.tell();
                unpack::run(self, &unpack, fds);
            }
            Request::Pack { from } => {
                taken.tell();
                pack::run(&from, fds);
            }
            Request::Enter(_) | Request::Setup(_) | Request::Mapped => {}
        }
    }

    /// Reaps whatever has ended, and lets go on what has made this process its tracer: a turn of it. The processes that serve end by
    /// themselves; where only one id is mapped, the agent can stop or kill them, to escape a deadline for instance. Then the bottle
    /// ends: nothing runs in it that nobody watches.
    fn reap(&self) -> Result<Reaped, StepError> {
        for _ in 0..traced::TURN {
            match wait(WaitOptions::NOHANG | WaitOptions::UNTRACED) {
                Ok(Some((pid, _))) if self.bridge == Some(pid) => return Ok(Reaped::Bridge),
                Ok(Some((pid, status))) => {
                    self.judge(pid, status)?;
                    traced::let_go(pid, status);
                }
                Ok(None) | Err(_) => return Ok(Reaped::All),
            }
        }
        Ok(Reaped::More)
    }

    fn judge(&self, pid: Pid, status: WaitStatus) -> Result<(), StepError> {
        let mut serving = self.serving.borrow_mut();
        // Those that serve end well or say why elsewhere; a relay that ends badly leaves a bottle without a way out.
        if serving.contains(&pid) && (status.stopped() || status.exit_status() != Some(0)) {
            let how = match (status.stopping_signal(), status.terminating_signal(), status.exit_status()) {
                (Some(signal), ..) => format!("was stopped by signal {signal}"),
                (None, Some(signal), _) => format!("was killed by signal {signal}"),
                (None, None, code) => format!("failed with status {}", code.unwrap_or_default()),
            };
            let reason = format!("a process that holds the bottle together {how}");
            return Err(StepError { step: "watching over the bottle".into(), errno: 0, reason });
        }
        serving.remove(&pid);
        Ok(())
    }

    fn fork_for(&self, request: Request, fds: Vec<OwnedFd>) {
        match sys::fork() {
            Ok(Fork::Parent(pid)) => {
                self.serving.borrow_mut().insert(pid);
            }
            Ok(Fork::Child) => self.serve_one(request, fds, Taken(None)),
            Err(error) => {
                // A full process table: the limit holds. The one who asked is told; the bottle goes on.
                if let Some(channel) = fds.first() {
                    let errno = error.raw_os_error().unwrap_or(libc::EAGAIN);
                    let message = match request {
                        Request::Spawn(_) | Request::Enter(_) | Request::Setup(_) | Request::Mapped => {
                            FromExec::NotStarted { step: StartStep::Prepare, errno }
                        }
                        Request::Unpack(_) | Request::Pack { .. } => FromExec::failed(None, &error.to_string()),
                    };
                    let _ = wire::send_packet(channel.as_fd(), &message, &[]);
                }
            }
        }
    }
}

/// What came of a turn of reaping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reaped {
    /// Nothing is left.
    All,
    /// There may be more.
    More,
    /// What the session spoke through has ended.
    Bridge,
}

/// How a spare tells PID 1 that the next one is wanted: by a word, because the pipe's end says no more than that it has ended. Nobody is
/// to be told where PID 1 took the request itself.
pub struct Taken(Option<OwnedFd>);

impl Taken {
    /// Tells, as early as the next one is welcome; at the latest when this is dropped.
    pub fn tell(&self) {
        // Should nobody hear it, PID 1 is gone, and so is this process.
        let _ = self.0.as_ref().map(|taker| rustix::io::write(taker, b"t"));
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.tell();
    }
}
