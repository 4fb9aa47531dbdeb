# What every attack script begins with. A script raises, or exits with a HOLE, unless all it tries is refused.
import ctypes, errno, os, platform, signal, socket, stat, sys

libc = ctypes.CDLL(None, use_errno=True)
tried = 0
REFUSED = (errno.EPERM, errno.EACCES, errno.ENOSYS)
# What the backend says of the bottle; a test that knows better sets it below.
OWN_KERNEL, TRANSPARENT = False, True
GONE = (errno.ENOENT, errno.EACCES, errno.EPERM, errno.ENOTDIR)


def hole(what):
    sys.exit("HOLE: " + what)


def refused(what, attempt, how=REFUSED):
    """attempt() must fail with one of the errors `how`."""
    global tried
    tried += 1
    try:
        got = attempt()
    except OSError as error:
        if error.errno in how:
            return
        hole(f"{what}: expected a refusal, met {error!r}")
    hole(f"{what}: succeeded with {got!r}")


def held(what, holds):
    """A fact that must be so."""
    global tried
    tried += 1
    if not holds:
        hole(what)


def absent(path):
    """Nothing at `path` can be read, listed or written."""
    refused(f"reading {path}", lambda: open(path, "rb").read(1), GONE + (errno.EISDIR, errno.ENXIO))
    refused(f"listing {path}", lambda: os.listdir(path), GONE)
    refused(f"writing {path}", lambda: os.close(os.open(path, os.O_WRONLY)), GONE + (errno.EISDIR, errno.ENXIO))


def call(number, *args):
    """A system call by number; the arguments are integers, or bytes for a pointer to them."""
    words = [arg if isinstance(arg, bytes) or arg is None else ctypes.c_long(arg) for arg in args]
    got = libc.syscall(ctypes.c_long(number), *words)
    if got < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return got


def others():
    """The processes that this one can see, but not itself."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]


def walk(top="/", without=("/proc",)):
    """Every path below `top`, links not followed."""
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in without]
        for name in folders + files:
            yield os.path.join(folder, name)


# Numbers of system calls: unistd_64.h of x86, asm-generic/unistd.h for all others and for what is younger than 423.
NUMBERS = """
    acct 163 89|add_key 248 217|adjtimex 159 171|bpf 321 280|chroot 161 51|clock_adjtime 305 266|clock_settime 227 112
    clone 56 220|delete_module 176 106|fanotify_init 300 262|finit_module 313 273|init_module 175 105|kcmp 312 272
    kexec_file_load 320 294|kexec_load 246 104|keyctl 250 219|mbind 237 235|migrate_pages 256 238|mount 165 40
    move_pages 279 239|open_by_handle_at 304 265|perf_event_open 298 241|personality 135 92|pivot_root 155 41
    prlimit64 302 261|process_vm_readv 310 270|process_vm_writev 311 271|ptrace 101 117|quotactl 179 60|reboot 169 142|request_key 249 218
    set_mempolicy 238 237|setdomainname 171 162|sethostname 170 161|setns 308 268|settimeofday 164 170|swapoff 168 225
    swapon 167 224|syslog 103 116|umount2 166 39|unshare 272 97|userfaultfd 323 282|vhangup 153 58
    io_uring_setup 425 425|io_uring_enter 426 426|io_uring_register 427 427|open_tree 428 428|move_mount 429 429
    fsopen 430 430|fsconfig 431 431|fsmount 432 432|fspick 433 433|clone3 435 435|pidfd_getfd 438 438
    process_madvise 440 440|mount_setattr 442 442|quotactl_fd 443 443|statmount 457 457|listmount 458 458
    open_tree_attr 467 467
"""
column = 1 if platform.machine() == "x86_64" else 2
NR = {line.split()[0]: int(line.split()[column]) for line in NUMBERS.replace("|", "\n").strip().splitlines()}
