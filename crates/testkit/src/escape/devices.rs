//! Makes and opens device nodes: the host's disks, its memory, its kernel log, its consoles.

use std::fs;

use super::Arena;

/// No disk, no /dev/mem, no console: neither in /dev nor by mknod.
pub async fn devices(arena: &Arena) {
    // The fields of /proc/partitions: major, minor, blocks, name.
    let table = fs::read_to_string("/proc/partitions").expect("the host's disks");
    let disks: Vec<String> = table
        .lines()
        .filter_map(|line| {
            let mut fields = line.split_whitespace();
            Some(format!("{}:{}", fields.next()?.parse::<u32>().ok()?, fields.next()?.parse::<u32>().ok()?))
        })
        .collect();
    let disks: Vec<&str> = disks.iter().map(String::as_str).collect();
    let script = r#"
disks = [tuple(map(int, disk.split(":"))) for disk in sys.argv[1:]] + [(7, 0), (8, 0), (259, 0)]
characters = [(1, 1), (1, 4), (1, 11), (4, 0), (5, 1), (7, 0), (10, 200), (10, 229), (10, 232), (10, 237)]
# A kernel of the bottle's own may let everybody make nodes: what counts is that it has no such devices.
NOT_THERE = REFUSED + (errno.ENXIO, errno.ENODEV, errno.ENOENT)
def use(path, kind, number):
    os.mknod(path, kind | 0o666, os.makedev(*number))
    try:
        return os.open(path, os.O_RDWR)
    finally:
        os.remove(path)
for folder in ("/tmp", "/dev/shm", "/dev", os.path.expanduser("~")):
    for kind, numbers in ((stat.S_IFBLK, disks), (stat.S_IFCHR, characters)):
        for number in numbers:
            if OWN_KERNEL and number in ((10, 200), (10, 229)):
                continue  # gVisor's own tun and fuse, which take capabilities to use
            if OWN_KERNEL:
                refused(f"using {number} in {folder}", lambda: use(f"{folder}/node-{kind}-{number}", kind, number), NOT_THERE)
            else:
                refused(f"mknod {number} in {folder}", lambda: os.mknod(f"{folder}/node-{number}", kind | 0o666, os.makedev(*number)))
if OWN_KERNEL:
    sys.exit(print("refused:", tried))
harmless = {(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2)}
for path in walk():
    found = os.lstat(path)
    held(f"{path} is no disk", not stat.S_ISBLK(found.st_mode))
    if stat.S_ISCHR(found.st_mode):
        number = (os.major(found.st_rdev), os.minor(found.st_rdev))
        held(f"{path} is harmless", number in harmless or 136 <= number[0] <= 143)
for name in ("mem", "kmem", "port", "kmsg", "console", "tty0", "vcs", "kvm", "fuse", "loop-control", "net/tun", "vsock", "uinput"):
    absent(f"/dev/{name}")
"#;
    arena.bottle().await.attack(script, &disks).await;
}
