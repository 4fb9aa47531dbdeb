//! The helper alone, spoken to as the session does: what becomes of it when the process that waits for the next request is harmed.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use backend_native::HELPER;
use bottle::Backend;
use helper::wire::{self, FromExec, Ids, Progress, Request, Setup, Spawn};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, Shutdown, SocketFlags,
    SocketType, recvmsg, sendmsg, shutdown, socketpair,
};
use rustix::process::{Pid, Resource, Rlimit, Signal, getgid, getuid, kill_process, prlimit, setpriority_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use testkit::wait_until;

use crate::backend::{backend, helper};

/// Only ends a test that would hang.
const BOUND: Duration = Duration::from_secs(60);

/// A helper that serves.
struct Alone {
    first: Child,
    control: OwnedFd,
    init: OwnedFd,
}

impl Alone {
    /// `None`, and a printed reason, where there are no bottles. Needs no subordinate ids.
    #[allow(clippy::disallowed_methods, reason = "the test starts the helper as the backend does")]
    async fn start() -> Option<Self> {
        if let Err(unavailable) = backend().check().await {
            testkit::require("userns", &unavailable.to_string());
            return None;
        }
        let (control, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        let mut command = Command::new(helper());
        command.arg0(HELPER).env_clear().current_dir("/").stdin(Stdio::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
        let first = command.spawn().unwrap();
        let ids = match getuid().is_root() {
            true => Ids::Mapped,
            false => Ids::Single { uid: getuid().as_raw(), gid: getgid().as_raw() },
        };
        let setup = Setup { name: "alone".to_owned(), ids, image: None, tools: Vec::new(), disk: None };
        for request in [Request::Enter(ids), Request::Setup(setup)] {
            wire::send_frame(control.as_fd(), &request, &[]).unwrap();
        }
        loop {
            match wire::receive_frame(control.as_fd()).unwrap() {
                Some((Progress::Unshared, _)) => {
                    for map in ["uid_map", "gid_map"] {
                        std::fs::write(format!("/proc/{}/{map}", first.id()), "0 1000000000 65536\n").unwrap();
                    }
                    wire::send_frame(control.as_fd(), &Request::Mapped, &[]).unwrap();
                }
                Some((Progress::Ready { .. }, fds)) => {
                    return Some(Self { first, control, init: fds.into_iter().next().unwrap() });
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// PID 1, as the host calls it.
    fn pid(&self) -> Pid {
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", self.init.as_raw_fd())).unwrap();
        let pid = info.lines().find_map(|line| line.strip_prefix("Pid:")).unwrap();
        Pid::from_raw(pid.trim().parse().unwrap()).unwrap()
    }

    /// The process that waits for the next request, once it waits.
    async fn spare(&self) -> Pid {
        let init = self.pid().as_raw_nonzero().to_string();
        let mut spare = None;
        wait_until("a spare process", BOUND, async || {
            // Beside it may be one that has ended.
            spare = processes().find(|pid| status(*pid, "PPid:").as_deref() == Some(&init) && sleeps(*pid));
            spare.is_some()
        })
        .await;
        spare.unwrap()
    }

    /// What PID 1 said at last, when everything is gone.
    fn last_word(mut self) -> Option<String> {
        poll(&mut [PollFd::new(&self.init, PollFlags::IN)], None).unwrap();
        let word = wire::receive_frame::<Progress>(self.control.as_fd());
        self.first.wait().unwrap();
        match word.unwrap()? {
            (Progress::Failed { reason, .. }, _) => Some(reason),
            other => panic!("{other:?}"),
        }
    }
}

fn processes() -> impl Iterator<Item = Pid> {
    let names = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| Pid::from_raw(name.parse().ok()?))
}

fn status(pid: Pid, field: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).ok()?;
    text.lines().find_map(|line| line.strip_prefix(field)).map(|value| value.trim().to_owned())
}

fn sleeps(pid: Pid) -> bool {
    status(pid, "State:").is_some_and(|state| state.starts_with('S'))
}

/// How often it has waited.
fn waits(pid: Pid) -> u64 {
    status(pid, "voluntary_ctxt_switches:").unwrap().parse().unwrap()
}

/// A request for a program, and the channel on which its watcher would speak.
fn request() -> (Request, OwnedFd, Vec<OwnedFd>) {
    let (channel, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let null = std::fs::File::open("/dev/null").unwrap();
    let streams = [0; 3].map(|_| OwnedFd::from(null.try_clone().unwrap()));
    let spawn = Spawn {
        argv: vec![b"/bin/true".to_vec()],
        env: Vec::new(),
        folder: b"/".to_vec(),
        root: false,
        terminal: None,
        deadline: None,
    };
    (Request::Spawn(spawn), channel, std::iter::once(theirs).chain(streams).collect())
}

/// Whether anybody has said anything on a channel whose other side is gone.
fn heard(channel: &OwnedFd) -> Option<FromExec> {
    let (mut bytes, mut space) = ([0; 4096], [MaybeUninit::uninit(); 64]);
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let got = recvmsg(channel, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::empty()).unwrap();
    (got.bytes > 0).then(|| wire::decode(&bytes[..got.bytes]).unwrap())
}

/// Threat: the rest of a request, which an agent may have had a hand in (an argument, a variable), is taken for a request.
#[tokio::test]
async fn half_a_request_is_never_read_as_another() {
    for _ in 0..10 {
        let Some(alone) = Alone::start().await else { return };
        let spare = alone.spare().await;
        // As an agent can where one id is mapped: whoever wakes when the dying one closes its pipe goes first.
        let (mut one, allowed) = (CpuSet::new(), sched_getaffinity(None).unwrap());
        one.set((0..CpuSet::MAX_CPU).find(|at| allowed.is_set(*at)).unwrap());
        for pid in [alone.pid(), spare] {
            sched_setaffinity(Some(pid), &one).unwrap();
        }
        setpriority_process(Some(spare), 19).unwrap();
        let (request, channel, fds) = request();
        let rest = wire::encode(&request).unwrap();
        let rest = [&u32::try_from(rest.len()).unwrap().to_le_bytes()[..], &rest].concat();
        // A frame of which ten bytes come, and then what looks like a whole one.
        let before = waits(spare);
        let half = [&1000u32.to_le_bytes()[..], &[1; 10]].concat();
        sendmsg(&alone.control, &[IoSlice::new(&half)], &mut SendAncillaryBuffer::default(), SendFlags::NOSIGNAL).unwrap();
        wait_until("half a request is read", BOUND, async || waits(spare) > before && sleeps(spare)).await;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut rights = SendAncillaryBuffer::new(&mut space);
        let borrowed: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
        assert!(rights.push(SendAncillaryMessage::ScmRights(&borrowed)));
        kill_process(spare, Signal::KILL).unwrap();
        // May find nobody any more.
        let _ = sendmsg(&alone.control, &[IoSlice::new(&rest)], &mut rights, SendFlags::NOSIGNAL);
        drop(fds);
        let word = alone.last_word();
        assert!(word.as_ref().is_some_and(|word| word.contains("killed")), "{word:?}");
        assert_eq!(heard(&channel), None, "the rest was taken for a request");
    }
}

#[tokio::test]
async fn a_request_whose_descriptors_are_lost_is_not_lost_in_silence() {
    let Some(alone) = Alone::start().await else { return };
    let spare = alone.spare().await;
    prlimit(Some(spare), Resource::Nofile, Rlimit { current: Some(0), maximum: Some(0) }).unwrap();
    let (request, channel, fds) = request();
    let borrowed: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
    wire::send_frame(alone.control.as_fd(), &request, &borrowed).unwrap();
    drop(fds);
    assert_eq!(alone.last_word().as_deref(), Some("a process that holds the bottle together failed with status 1"));
    assert_eq!(heard(&channel), None);
}

#[tokio::test]
async fn a_spare_that_is_stopped_ends_the_bottle() {
    let Some(alone) = Alone::start().await else { return };
    kill_process(alone.spare().await, Signal::STOP).unwrap();
    assert_eq!(alone.last_word().as_deref(), Some("a process that holds the bottle together was stopped by signal 19"));
}

#[tokio::test]
async fn a_session_that_says_no_more_is_gone() {
    let Some(alone) = Alone::start().await else { return };
    alone.spare().await;
    shutdown(&alone.control, Shutdown::Write).unwrap();
    assert_eq!(alone.last_word(), None);
}
