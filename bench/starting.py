"""How long a sandbox takes to start, run `true` and go, and how long a command in a running one takes."""
import contextlib

import machine
from report import Section, Target
from timing import interleave, program

IDLE = ["sleep", "86417"]


BOTTLE = "bot-bottle start, 10 skills"
DOCKER = "docker run --rm --network none"


def starts(bottle, bwrap, rounds):
    true = machine.which("true")
    spaces = ["--user", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--ipc", "--uts"]
    arms = {
        "fork and exec, no sandbox": program([true]),
        "unshare": program([machine.which("unshare"), *spaces, true]),
        BOTTLE: program(bottle.start("true"), bottle.env),
    }
    targets = []
    if bwrap.here:
        arms["bubblewrap"] = program(bwrap.start("true"))
        targets.append(Target(BOTTLE, "bubblewrap", 4, "at most 4 times bubblewrap's whole run"))
    with machine.first_in_line():
        return Section("Start, run `true`, remove everything (whole process)", "ms", interleave(arms, rounds), targets)


def starts_beside_docker(bottle, engine, rounds):
    """By itself: an engine still cleans up when the next arm is measured."""
    arms = {BOTTLE: program(bottle.start("true"), bottle.env), DOCKER: program(engine.start("true"))}
    target = Target(BOTTLE, DOCKER, 1 / 8, "at most an eighth of `docker run`")
    return Section("The same, beside Docker", "ms", interleave(arms, rounds), [target])


def execs(bottle, bwrap, rounds):
    arms, targets = {}, []
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(bottle.running(*IDLE))
        arms["bot-bottle exec"] = program(bottle.exec(running.identity, "true"), bottle.env)
        if bwrap.here:
            sandbox = stack.enter_context(bwrap.running(*IDLE))
            arms["nsenter into bubblewrap"] = program(sandbox.enter("true"))
            targets.append(Target("bot-bottle exec", "nsenter into bubblewrap", 1, "at most that of nsenter"))
        stack.enter_context(machine.first_in_line())
        return Section("Run `true` in a running sandbox (whole process)", "ms", interleave(arms, rounds), targets)
