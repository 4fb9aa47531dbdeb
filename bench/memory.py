"""What one idle sandbox costs: the proportional set size (PSS) of every process that is there because of it."""
import os
import pathlib

from bubblewrap import below, command_line
from report import Section, Target
from timing import Figures

# A number of its own: the processes of this run alone are counted, whatever else runs here.
IDLE = ["sleep", "86423"]
ROUNDS = 5


def idle(bottle, bwrap, engine):
    sandboxes = {"bot-bottle": (bottle, lambda running: running.process.pid)}
    if bwrap.here:
        sandboxes["bubblewrap"] = (bwrap, lambda running: running.process.pid)
    if engine.here:
        sandboxes["docker shim and process"] = (engine, lambda running: parent(running.inside))
    taken, counted = {}, {}
    for _ in range(ROUNDS):
        for name, (sandbox, outer) in sandboxes.items():
            with sandbox.running(*IDLE) as running:
                sizes = {pid: pss(pid) for pid in around(outer(running))}
                taken.setdefault(name, []).append(sum(sizes.values()) / 1024)
                counted[name] = ", ".join(f"{shown(pid)} {size / 1024:.2f}" for pid, size in sorted(sizes.items()) if size)
    figures = [Figures(name, sorted(values)) for name, values in taken.items()]
    notes = [f"{name}: {what}" for name, what in counted.items()]
    if engine.here and engine.own:
        daemons = sum(pss(pid) for pid in [engine.own.pid, *below(engine.own.pid)]) / 1024
        notes.append(f"Docker's daemons, which serve all containers, are not counted: {daemons:.0f} MiB")
    target = Target("bot-bottle", None, 6e6 / 2**20, "at most 6 MB (5.72 MiB) around one idle bottle")
    return Section("Memory around one idle sandbox (PSS)", "MiB", figures, [target], notes)


def around(outer):
    """The process outside, what descends from it, and everything in the process namespace of the idle program."""
    idle = next(pid for pid in processes() if command_line(pid) == [part.encode() for part in IDLE] and space(pid) != space("self"))
    inside = [pid for pid in processes() if space(pid) == space(idle)]
    return {outer, *below(outer), *inside}


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def space(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None


def parent(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def pss(pid):
    """In KiB; nothing for a process that has just ended."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (ProcessLookupError, FileNotFoundError):
        return 0
    except PermissionError:
        raise SystemExit(f"bench: the memory of process {pid} cannot be read; run bench/run as root") from None
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def shown(pid):
    return os.path.basename(command_line(pid)[0].decode(errors="replace"))
