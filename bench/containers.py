"""Bottles in containers against the engine's own `run`, `exec` and `cp`."""
import contextlib
import http.client
import json
import os
import socket
import subprocess
import time

import relaying
from bottle import BotBottle
from engine import IMAGE
from memory import pss
from report import Section, Target
from starting import IDLE
from timing import Figures, first_word, interleave, program


class InContainers(BotBottle):
    """The same home and skills; the bottle is made of the engine's image."""

    def __init__(self, target, home, engine):
        super().__init__(target, home)
        # Without gVisor: what is measured is what bot-bottle adds.
        self.env |= {"BOT_BOTTLE_BACKEND": "docker", "BOT_BOTTLE_RUNTIME": "runc"}
        if engine.own:
            self.env["DOCKER_HOST"] = engine.host[1]
        bottle = home / ".bot-bottle/bottles/bench.md"
        bottle.write_text(f"---\nagent_provider:\n  template: command\n  command: [sh]\n  image: {IMAGE}\n---\n")


def measured(target, scratch, engine, rounds):
    bottle = InContainers(target, scratch / "home-in-containers", engine)
    yield starts(bottle, engine, rounds)
    yield execs(bottle, engine, rounds)
    yield relay(bottle, engine)
    # Only root enters a container's network.
    if os.getuid() == 0:
        yield relaying.throughput(engine, scratch, min(rounds, 15))


def starts(bottle, engine, rounds):
    ready, theirs = "bot-bottle, until its agent's first word", "docker run --rm --network none"
    arms = {
        ready: first_word(bottle.start("echo", "ready"), bottle.env),
        "bot-bottle, whole process": program(bottle.start("true"), bottle.env),
        theirs: program(engine.start("true")),
    }
    target = Target(ready, theirs, 1.5, "a bottle with ten skills is ready in at most 1.5 times `docker run`")
    return Section("In containers: a bottle, ready and whole, and a bare container", "ms", interleave(arms, rounds), [target])


def execs(bottle, engine, rounds):
    ours, theirs = "bot-bottle exec", "the Engine API's three calls"
    with bottle.running(*IDLE) as running, engine.running(*IDLE) as container, contextlib.closing(Api(engine)) as api:
        arms = {
            ours: program(bottle.exec(running.identity, "true"), bottle.env),
            theirs: lambda: api.exec(container.id, ["true"]),
            "docker exec": program(container.exec("true")),
        }
        target = Target(ours, theirs, 1, "at most that of the Engine API's own three calls")
        return Section("In containers: run `true` in a running one", "ms", interleave(arms, rounds), [target])


def relay(bottle, engine):
    """The relay of an idle bottle."""
    taken = []
    for _ in range(3):
        with bottle.running(*IDLE):
            named = ["ps", "--quiet", "--filter", "label=bot-bottle.role=relay"]
            container = subprocess.run([*engine.call(), *named], check=True, capture_output=True, text=True).stdout.split()[0]
            asked = [*engine.call(), "inspect", "--format", "{{.State.Pid}}", container]
            taken.append(pss(int(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)) / 1024)
    target = Target("relay", None, 2e6 / 2**20, "at most 2 MB (1.91 MiB)")
    return Section("In containers: memory of the relay (PSS)", "MiB", [Figures("relay", sorted(taken))], [target])


class Api(http.client.HTTPConnection):
    """The engine's API over one connection that is kept."""

    def __init__(self, engine):
        super().__init__("engine")
        self.path = engine.host[1].removeprefix("unix://") if engine.own else "/var/run/docker.sock"

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, method, path, body=None):
        headers = {"Content-Type": "application/json"} if body is not None else {}
        self.request(method, path, None if body is None else json.dumps(body), headers)
        response = self.getresponse()
        return response.read()

    def exec(self, container, command):
        """Create, start to the end, look at the status; in milliseconds."""
        start = time.perf_counter_ns()
        wanted = {"Cmd": command, "AttachStdout": True, "AttachStderr": True}
        made = json.loads(self.ask("POST", f"/containers/{container}/exec", wanted))["Id"]
        self.ask("POST", f"/exec/{made}/start", {"Detach": False, "Tty": False})
        ended = json.loads(self.ask("GET", f"/exec/{made}/json"))
        taken = time.perf_counter_ns() - start
        if ended["ExitCode"] != 0:
            raise SystemExit(f"bench: {command} ended with {ended['ExitCode']}")
        return taken / 1e6
