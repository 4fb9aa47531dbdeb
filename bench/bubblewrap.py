"""bubblewrap with every namespace that it can unshare, the closest relative of the native backend."""
import os
import pathlib
import subprocess
import time

import machine

ROOT = ["--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"]


class Bubblewrap:
    def __init__(self, binary):
        self.here, self.binary = binary is not None, binary

    @classmethod
    def find(cls, skipped):
        binary = machine.which("bwrap")
        if not binary:
            skipped.append("bubblewrap: not installed (apt-get install bubblewrap, or bench/run --install)")
        return cls(binary)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def start(self, *command):
        fresh = ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
        return [self.binary, "--unshare-all", "--die-with-parent", *ROOT, *fresh, *command]

    def running(self, *command):
        return Running(self.start(*command), command)


class Running:
    """A sandbox that runs `command` until the end of the `with` block."""

    def __init__(self, argv, command):
        self.argv, self.command = argv, [str(part).encode() for part in command]

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            for pid in below(self.process.pid):
                if command_line(pid) == self.command:
                    self.inside = pid
                    return self
            time.sleep(0.02)
        raise SystemExit("bench: bubblewrap did not start within 30 s")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def enter(self, *command):
        """nsenter into all of its namespaces."""
        user = [] if os.getuid() == 0 else ["--preserve-credentials"]
        spaces = ["--user", "--mount", "--net", "--pid", "--ipc", "--uts", "--cgroup"]
        return [machine.which("nsenter"), "--target", self.inside, *user, *spaces, *command]


def below(pid):
    """All descendants of a process."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *below(int(child))]
    return found


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return []
