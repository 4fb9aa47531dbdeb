//! Processes that have made one of the helper's their tracer.
//!
//! `PTRACE_TRACEME` (`ptrace(2)`) asks the parent for no leave, and is not forbidden: debuggers begin so, in a child of their own. From
//! then on every signal stops the process, and every execve; `wait(2)` tells its parent of the stop though nobody asked for stops, and
//! the process waits until it is let go.

use rustix::process::{Pid, Signal, WaitStatus};

use crate::sys;

/// Most children that are waited for in one turn. Threat: processes that stop and go on, again and again, would keep whoever waits from
/// everything else: a deadline, the word to kill them, the end of the session.
pub const TURN: usize = 256;

/// Lets a child that has stopped go on as if it had no tracer, which nobody here means to be: with the signal that stopped it.
/// Nothing happens where it is not traced by this process.
pub fn let_go(child: Pid, status: WaitStatus) {
    let Some(stopped_by) = status.stopping_signal() else { return };
    let signal = match sys::cause_of_stop(child) {
        // Without a tracer there would be no signal.
        Ok((code, sender)) if is_execve(child, stopped_by, code, sender) => 0,
        Ok(_) => stopped_by,
        // The whole process has been stopped already, and stays so.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => 0,
        Err(_) => return,
    };
    // It may have been killed meanwhile.
    let _ = sys::detach(child, signal);
}

/// The kernel tells a tracer of an execve by a `SIGTRAP` as if the process had sent it to itself (`ptrace(2)`, "execve(2) under
/// ptrace"). One that the process does send itself while it is traced cannot be told from that, and is lost.
fn is_execve(child: Pid, signal: libc::c_int, code: libc::c_int, sender: libc::pid_t) -> bool {
    signal == Signal::TRAP.as_raw() && code == libc::SI_USER && sender == child.as_raw_nonzero().get()
}
