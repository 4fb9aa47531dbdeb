"""bot-bottle as a person uses it: the release binary, a home with one agent and ten skills."""
import json
import os
import pathlib
import subprocess
import time

SKILLS = [f"skill-{at}" for at in range(10)]


class BotBottle:
    name = "bot-bottle"

    def __init__(self, target, home):
        self.binary, self.home = str(target / "bot-bottle"), home
        self.env = {"HOME": str(home), "PATH": os.environ["PATH"]}
        make_home(home)

    def start(self, *command):
        return [self.binary, "start", "bench", "--headless", "--yes", "--", *command]

    def exec(self, identity, *command):
        return [self.binary, "exec", identity, "--", *command]

    def running(self, *command):
        return Running(self, command)

    def active(self):
        listed = subprocess.run([self.binary, "list", "active", "--json"], env=self.env, check=True, capture_output=True)
        return json.loads(listed.stdout)


class Running:
    """A bottle that runs `command` until the end of the `with` block."""

    def __init__(self, bottle, command):
        self.bottle, self.command = bottle, command

    def __enter__(self):
        null = subprocess.DEVNULL
        self.process = subprocess.Popen(self.bottle.start(*self.command), env=self.bottle.env, stdin=null, stdout=null, stderr=null)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            for session in self.bottle.active():
                self.identity = session["identity"]
                tried = subprocess.run(self.bottle.exec(self.identity, "true"), env=self.bottle.env, stdin=null, capture_output=True)
                if tried.returncode == 0:
                    return self
            time.sleep(0.05)
        self.process.kill()
        raise SystemExit("bench: a bottle did not start within 30 s")

    def __exit__(self, *_):
        subprocess.run([self.bottle.binary, "stop", self.identity], env=self.bottle.env, capture_output=True)
        self.process.wait()


def make_home(home: pathlib.Path):
    for folder in (".bot-bottle/agents", ".bot-bottle/bottles"):
        (home / folder).mkdir(parents=True)
    (home / ".bot-bottle/bottles/bench.md").write_text("---\nagent_provider:\n  template: command\n  command: [sh]\n---\n")
    skills = ", ".join(SKILLS)
    (home / ".bot-bottle/agents/bench.md").write_text(f"---\nbottle: bench\nskills: [{skills}]\n---\nYou are measured.\n")
    for skill in SKILLS:
        folder = home / ".claude/skills" / skill
        (folder / "scripts").mkdir(parents=True)
        (folder / "SKILL.md").write_text(f"---\nname: {skill}\ndescription: measured\n---\n" + "A line of a skill.\n" * 200)
        (folder / "scripts/run.sh").write_text("#!/bin/sh\necho run\n" * 20)
