"""How long a sandbox takes to start, run `true` and go, and how long a command in a running one takes."""
import contextlib

import machine
from report import Section, Target
from timing import interleave, program

IDLE = ["sleep", "86417"]


def starts(bottle, bwrap, engine, rounds):
    true = machine.which("true")
    spaces = ["--user", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--ipc", "--uts"]
    arms = {
        "fork and exec, no sandbox": program([true]),
        "unshare": program([machine.which("unshare"), *spaces, true]),
        "bot-bottle start, 10 skills": program(bottle.start("true"), bottle.env),
    }
    targets = []
    if bwrap.here:
        arms["bubblewrap"] = program(bwrap.start("true"))
        targets.append(Target("bot-bottle start, 10 skills", "bubblewrap", 4, "at most 4 times bubblewrap's whole run"))
    if engine.here:
        arms["docker run --rm --network none"] = program(engine.start("true"))
        targets.append(
            Target("bot-bottle start, 10 skills", "docker run --rm --network none", 1 / 8, "at most an eighth of `docker run`")
        )
    return Section("Start, run `true`, remove everything (whole process)", "ms", interleave(arms, rounds), targets)


def execs(bottle, bwrap, engine, rounds):
    arms, targets = {}, []
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(bottle.running(*IDLE))
        arms["bot-bottle exec"] = program(bottle.exec(running.identity, "true"), bottle.env)
        if bwrap.here:
            sandbox = stack.enter_context(bwrap.running(*IDLE))
            arms["nsenter into bubblewrap"] = program(sandbox.enter("true"))
            targets.append(Target("bot-bottle exec", "nsenter into bubblewrap", 1, "at most that of nsenter"))
        if engine.here:
            container = stack.enter_context(engine.running(*IDLE))
            arms["docker exec"] = program(container.exec("true"))
        return Section("Run `true` in a running sandbox (whole process)", "ms", interleave(arms, rounds), targets)
