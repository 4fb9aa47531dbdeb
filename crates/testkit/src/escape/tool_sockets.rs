//! Talks to the host through what lies in a folder that is shown read-only: sockets, FIFOs, locks, times.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use super::{Arena, Fingerprint};

/// A read-only folder of the host's carries nothing out: not by writing, connecting, locking or touching.
pub async fn tool_sockets(arena: &Arena) {
    let folder = tempfile::tempdir_in("/tmp").expect("a folder");
    let place = folder.path().canonicalize().expect("its real path");
    let listener = UnixListener::bind(place.join("agent.sock")).expect("a socket");
    rustix::fs::mknodat(rustix::fs::CWD, place.join("fifo"), rustix::fs::FileType::Fifo, 0o666.into(), 0).expect("a FIFO");
    #[expect(clippy::disallowed_methods, reason = "a file of the test's own")]
    fs::write(place.join("tool"), "#!/bin/sh\nexit 0\n").expect("a file");
    for (name, mode) in [("agent.sock", 0o777), ("fifo", 0o666), ("tool", 0o777), ("", 0o777)] {
        fs::set_permissions(place.join(name), fs::Permissions::from_mode(mode)).expect("a mode");
    }
    // Somebody on the host reads the FIFO.
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    let reader = rustix::fs::open(place.join("fifo"), flags, rustix::fs::Mode::empty()).expect("the FIFO's reader");
    let lock = fs::File::open(place.join("tool")).expect("the tool");
    let before = Fingerprint::of(&place.join("tool"));
    let subject = match arena.bottle_with(&place).await {
        Ok(subject) => subject,
        // A folder that holds a way out may be refused altogether.
        Err(bottle::LaunchError::Unsupported { .. }) => return,
        Err(error) => panic!("{error}"),
    };
    let script = r##"
import fcntl
place = sys.argv[1]
closed = REFUSED + (errno.EROFS, errno.ENXIO, errno.ENOENT, errno.ECONNREFUSED)
held("the tool is there", open(f"{place}/tool").read() != "")
refused("connecting", lambda: socket.socket(socket.AF_UNIX).connect(f"{place}/agent.sock"), closed)
def through():
    fifo = os.open(f"{place}/fifo", os.O_WRONLY | os.O_NONBLOCK)
    os.write(fifo, b"out")
refused("writing to the FIFO", through, closed)
refused("writing", lambda: open(f"{place}/tool", "a"), closed)
refused("making", lambda: open(f"{place}/new", "w"), closed)
refused("removing", lambda: os.remove(f"{place}/tool"), closed)
refused("renaming", lambda: os.rename(f"{place}/tool", f"{place}/tool2"), closed)
refused("linking", lambda: os.link(f"{place}/tool", f"{place}/tool2"), closed + (errno.EXDEV,))
# gVisor keeps modes and times to itself; whether the host's file has changed is looked at below.
if not OWN_KERNEL:
    refused("opening to all", lambda: os.chmod(f"{place}/tool", 0o4777), closed)
    refused("touching", lambda: os.utime(f"{place}/tool"), closed)
refused("labelling", lambda: os.setxattr(f"{place}/tool", "user.x", b"1"), closed + (errno.EOPNOTSUPP,))
keep = os.open(f"{place}/tool", os.O_RDONLY)
fcntl.flock(keep, fcntl.LOCK_EX | fcntl.LOCK_NB)
"##;
    let place = place.display().to_string();
    subject.attack(script, &[&place]).await;
    listener.set_nonblocking(true).expect("a socket");
    assert!(listener.accept().is_err(), "somebody connected");
    assert!(rustix::io::read(&reader, &mut [0; 8]).is_err(), "something came through the FIFO");
    assert!(lock.try_lock().is_ok(), "somebody holds a lock on the tool");
    lock.unlock().expect("the lock");
    assert_eq!(Fingerprint::of(&std::path::Path::new(&place).join("tool")), before);
}
