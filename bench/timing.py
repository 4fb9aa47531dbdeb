"""Runs programs without a shell in between and times them from spawn to the end of their wait."""
import dataclasses
import os
import statistics
import subprocess
import time


@dataclasses.dataclass
class Figures:
    """What one arm took, in milliseconds, sorted."""

    name: str
    values: list

    @property
    def median(self):
        return statistics.median(self.values)

    def share(self, part):
        return self.values[min(len(self.values) - 1, int(part * len(self.values)))]


def interleave(arms, rounds, warm=2):
    """Measures `arms` (name -> function giving milliseconds) in turn, each round beginning with another one."""
    names = list(arms)
    taken = {name: [] for name in names}
    for at in range(-warm, rounds):
        turn = at % len(names)
        for name in names[turn:] + names[:turn]:
            value = arms[name]()
            if at >= 0:
                taken[name].append(value)
    return [Figures(name, sorted(values)) for name, values in taken.items()]


def program(argv, env=None):
    """An arm: the whole life of one process."""
    argv = [str(part) for part in argv]

    def run():
        start = time.perf_counter_ns()
        pid = spawn(argv, env)
        _, status, _ = os.wait4(pid, 0)
        taken = time.perf_counter_ns() - start
        if status != 0:
            explain(argv, env)
        return taken / 1e6

    return run


def first_word(argv, env=None):
    """An arm: from the start of a process to the first byte it writes. Its end is waited for, and not counted."""
    argv = [str(part) for part in argv]

    def run():
        read, write = os.pipe()
        start = time.perf_counter_ns()
        pid = spawn(argv, env, stdout=write)
        os.close(write)
        word = os.read(read, 1)
        taken = time.perf_counter_ns() - start
        os.close(read)
        _, status, _ = os.wait4(pid, 0)
        if not word or status != 0:
            explain(argv, env)
        return taken / 1e6

    return run


def pipe(first, second, env=None):
    """An arm: `first | second`, until both have ended."""
    first, second = ([str(part) for part in argv] for argv in (first, second))

    def run():
        start = time.perf_counter_ns()
        read, write = os.pipe()
        left = spawn(first, env, stdout=write)
        right = spawn(second, env, stdin=read)
        os.close(read)
        os.close(write)
        ended = [os.wait4(pid, 0)[1] for pid in (left, right)]
        taken = time.perf_counter_ns() - start
        if any(ended):
            raise SystemExit(f"bench: {first} | {second} ended with {ended}")
        return taken / 1e6

    return run


def spawn(argv, env=None, stdin=None, stdout=None):
    actions = [(os.POSIX_SPAWN_DUP2, stdin, 0)] if stdin is not None else [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
    actions += [(os.POSIX_SPAWN_DUP2, stdout, 1)] if stdout is not None else [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    actions += [(os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)]
    return os.posix_spawn(argv[0], argv, os.environ if env is None else env, file_actions=actions)


def explain(argv, env):
    """Runs a program that failed once more, to say why."""
    again = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True)
    raise SystemExit(f"bench: {' '.join(argv)}: status {again.returncode}\n{again.stderr.decode(errors='replace')}")
