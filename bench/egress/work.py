"""What is done by every arm, round by round."""
import collections
import json
import statistics
import subprocess
import threading
import time

import ground as grounds
import names

CONNECTIONS = [1, 16, 64]
HOSTS = 20


class Results:
    """Values by (arm, what), one of each round; medians of them, and what went wrong."""

    def __init__(self):
        self.values, self.wrong = collections.defaultdict(list), []

    def add(self, arm, what, value):
        self.values[arm.name, what].append(value)

    def median(self, name, what):
        values = self.values.get((name, what))
        return statistics.median(values) if values else None

    def fail(self, arm, what, why):
        line = f"{arm.words}, {what}: {why}"
        if line not in self.wrong:
            self.wrong.append(line)


def measure(started, ground, options):
    results = Results()
    weigh(started, results, "rest")
    for round in range(options.rounds):
        for at, task in enumerate(tasks(options, round)):
            turn = (round + at) % max(1, len(started.arms))
            for arm in started.arms[turn:] + started.arms[:turn]:
                task(arm, ground, results)
    weigh(started, results, "after")
    for arm in started.arms:
        if arm.service:
            large_bodies(arm, ground, results, options)
    return results


def weigh(started, results, when):
    for arm in started.arms:
        if arm.service:
            results.add(arm, when, arm.pss())


def tasks(options, round):
    seconds = ["--seconds", options.seconds]
    for connections in CONNECTIONS:
        yield requests("kept", connections, seconds)
    for connections in CONNECTIONS:
        yield requests("new", connections, seconds)
    for way, path in (("down", "/10m"), ("up", "/up")):
        yield transfers(way, path, seconds)
    yield leaves(names.unseen(round, HOSTS))


def requests(kind, connections, seconds):
    def task(arm, ground, results):
        found = load(arm, ground, results, kind, *arm.way(), *arm.origin(), "-c", connections, *seconds)
        if found:
            for what in ("per_second", "p50_ms", "p99_ms"):
                results.add(arm, f"{kind} {connections} {what}", found[what])

    return task


def transfers(way, path, seconds):
    def task(arm, ground, results):
        found = load(arm, ground, results, way, *arm.way(), *arm.origin(), "--ask", path, "--bytes", grounds.LARGE, *seconds)
        if found:
            results.add(arm, way, found["mb_per_second"])

    return task


def leaves(hosts):
    def task(arm, ground, results):
        if not arm.mints:
            return
        found = load(arm, ground, results, "leaves", *arm.way(), "--port", arm.unseen_port(), *hosts)
        if found:
            for what in ("first_ms", "second_ms", "leaf_ms"):
                results.add(arm, what, found[what])

    return task


def large_bodies(arm, ground, results, options):
    """One body up, one down; the most memory seen meanwhile."""
    size = 10**8 if options.quick else 5 * 10**8
    if arm.name == "bot-bottle" and not options.quick:
        size = 10**10 if options.full else 2 * 10**9
    before = arm.pss()
    with Watched(arm) as watched:
        for way, path in (("up", "/sink/0"), ("down", f"/sink/{size}")):
            once = ["--bytes", size, "--warm", 0, "--seconds", 0.3]
            if not load(arm, ground, results, way, *arm.way(), *arm.sink(), "--ask", path, *once, patience=180):
                return
    results.add(arm, "body size", size)
    results.add(arm, "body before", before)
    results.add(arm, "body most", watched.most)


class Watched:
    """The most memory that an arm has while the block runs."""

    def __init__(self, arm):
        self.arm, self.most, self.done = arm, 0, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.done.wait(0.1):
            self.most = max(self.most, self.arm.pss())

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def load(arm, ground, results, *arguments, patience=40):
    """Runs the load generator; answers what it found, or None, with the reason noted."""
    argv, what = [str(part) for part in arm.command(arguments)], str(arguments[0])
    began = time.monotonic()
    try:
        done = subprocess.run(argv, env=arm.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patience)
    except subprocess.TimeoutExpired:
        return results.fail(arm, what, f"no end after {time.monotonic() - began:.0f} s")
    if done.returncode != 0:
        return results.fail(arm, what, done.stderr.strip()[-200:])
    found = json.loads(done.stdout)
    if found.get("errors"):
        results.fail(arm, what, f"errors such as: {found['error']}")
    return found if found.get("requests", 1) else None
