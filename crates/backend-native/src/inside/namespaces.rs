//! Namespaces and ids (`namespaces(7)`, `user_namespaces(7)`).

use std::fs::OpenOptions;
use std::io::Write;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Gid, Uid};
use rustix::thread::{UnshareFlags, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::sys;
use helper::step::{During, StepError};
use helper::sys::{self as serving, Fork};
use helper::wire::{self, Ids, Progress, Request};

/// Enters a user namespace and sees to it that its ids are mapped before anything else happens.
pub fn enter_user(control: BorrowedFd<'_>, ids: Ids) -> Result<(), StepError> {
    sys::unshare(UnshareFlags::NEWUSER).during("making a user namespace")?;
    match ids {
        Ids::Single { uid, gid } => write_single_map("/proc/self", 0, uid, gid),
        Ids::Mapped => {
            wire::send_frame(control, &Progress::Unshared, &[]).during("asking for the id maps")?;
            match wire::receive_frame(control).during("waiting for the id maps")? {
                Some((Request::Mapped, _)) => Ok(()),
                Some(_) | None => Err(StepError::protocol("no answer to the question for id maps")),
            }
        }
    }
}

/// Everything that is seen or shared through a namespace. The time namespace stays: clocks are no secret.
pub fn enter_others() -> Result<(), StepError> {
    let all = UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWNET
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS
        | UnshareFlags::NEWCGROUP;
    sys::unshare(all).during("making the mount, pid, network, ipc, uts and cgroup namespaces")
}

/// Becomes the bottle's root: the id that owns what the helper makes. When ids are mapped this leaves the person's id, and
/// the host's root when the session is root's, for good.
pub fn become_root(ids: Ids) -> Result<(), StepError> {
    match ids {
        Ids::Single { .. } => Ok(()),
        Ids::Mapped => {
            set_thread_groups(&[Gid::from_raw(0)]).during("setting root's groups")?;
            let (uid, gid) = (Uid::from_raw(0), Gid::from_raw(0));
            set_thread_res_gid(gid, gid, gid).during("becoming the bottle's root group")?;
            set_thread_res_uid(uid, uid, uid).during("becoming the bottle's root")
        }
    }
}

/// Where only one id is mapped: a user namespace below, in which that id is called 1000, for everything that runs as `node`.
pub fn node_namespace(ids: Ids) -> Result<Option<OwnedFd>, StepError> {
    let Ids::Single { .. } = ids else { return Ok(None) };
    // Possible only while helper and holder are open to tracing, which they are until the bottle is built.
    user_namespace("making node's user namespace", |process| write_single_map(process, 1000, 0, 0)).map(Some)
}

/// A user namespace for a mount in which the files of the host's root are those of the host's id `node`, and all others their own.
/// Only for the host's root.
pub fn lending(node: u32) -> Result<OwnedFd, StepError> {
    // 0 is node's; whoever is `node` on the host has no files.
    let map = format!("0 {node} 1\n1 1 {}\n{} {} {}\n", node - 1, node + 1, node + 1, u32::MAX - 1 - node);
    user_namespace("making a user namespace for tools", |process| {
        ["uid_map", "gid_map"].iter().try_for_each(|file| write_map(process, file, &map))
    })
}

/// A user namespace that nobody is in; `map` writes its maps, given the /proc folder of the process that holds it meanwhile.
fn user_namespace(step: &'static str, map: impl FnOnce(&str) -> Result<(), StepError>) -> Result<OwnedFd, StepError> {
    let (ready_reader, ready_writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).during(step)?;
    let (hold_reader, hold_writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).during(step)?;
    match serving::fork().during(step)? {
        Fork::Child => {
            drop(hold_writer);
            let done = sys::unshare(UnshareFlags::NEWUSER).is_ok();
            let _ = rustix::io::write(&ready_writer, &[u8::from(done)]);
            // Keeps the namespace alive until the helper holds a descriptor to it.
            let _ = rustix::io::read(&hold_reader, &mut [0u8; 1]);
            std::process::exit(0);
        }
        Fork::Parent(holder) => {
            drop(hold_reader);
            let mut done = [0u8; 1];
            rustix::io::read(&ready_reader, &mut done).during(step)?;
            if done[0] != 1 {
                return Err(StepError { step: step.into(), errno: 0, reason: "the kernel refused a nested one".into() });
            }
            let process = format!("/proc/{}", holder.as_raw_nonzero());
            map(&process)?;
            let namespace = open(format!("{process}/ns/user"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).during(step)?;
            drop(hold_writer);
            Ok(namespace)
        }
    }
}

/// No namespace may be made below these any more: none is needed, and user namespaces are the usual way to reach kernel
/// code that expects a trusted caller. The system call filter refuses them too.
pub fn forbid_more() -> Result<(), StepError> {
    for kind in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"] {
        limit(&format!("max_{kind}_namespaces"), 0)?;
    }
    // A kernel may be built without those.
    if std::path::Path::new("/proc/sys/user/max_time_namespaces").exists() { limit("max_time_namespaces", 0) } else { Ok(()) }
}

/// Some things the kernel counts for each person, the bottle's with the person's own: an agent that takes all of them would
/// leave none to the editor beside it. The bottle gets half.
pub fn leave_quotas() -> Result<(), StepError> {
    for (own, of_the_host) in [("max_inotify_instances", "max_user_instances"), ("max_inotify_watches", "max_user_watches")] {
        let path = format!("/proc/sys/fs/inotify/{of_the_host}");
        if let Some(all) = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse::<u64>().ok()) {
            limit(own, all / 2)?;
        }
    }
    Ok(())
}

/// Sets a limit of this user namespace, which those below it cannot exceed (`namespaces(7)`, /proc/sys/user).
fn limit(name: &str, value: u64) -> Result<(), StepError> {
    let path = format!("/proc/sys/user/{name}");
    let opened = OpenOptions::new().write(true).open(&path);
    opened.and_then(|mut file| file.write_all(value.to_string().as_bytes())).during_with(|| format!("writing {path}"))
}

fn write_single_map(process: &str, inside: u32, uid: u32, gid: u32) -> Result<(), StepError> {
    // Without privilege in the parent a group map may only be written once setgroups is given up (CVE-2014-8989).
    write_map(process, "setgroups", "deny")?;
    write_map(process, "uid_map", &format!("{inside} {uid} 1"))?;
    write_map(process, "gid_map", &format!("{inside} {gid} 1"))
}

fn write_map(process: &str, file: &str, text: &str) -> Result<(), StepError> {
    let path = format!("{process}/{file}");
    let result = OpenOptions::new().write(true).open(&path).and_then(|mut file| file.write_all(text.as_bytes()));
    result.during_with(|| format!("writing {path}"))
}
