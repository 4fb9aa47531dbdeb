"""How long it takes to bring files into a running sandbox."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import machine
from report import Section, Target
from starting import IDLE
from timing import interleave, pipe, program

# Name, number of files, bytes of each, rounds for one round of starts.
SETS = [("200 files, 2 MB", 200, 10_000, 1 / 3), ("20,000 files of 2 KB", 20_000, 2_048, 1 / 10), ("one file of 200 MB", 1, 200_000_000, 1 / 6)]


def copies(target, scratch, engine, rounds):
    memory = pathlib.Path(tempfile.mkdtemp(prefix="bb-bench-", dir="/dev/shm"))
    try:
        for name, count, size, share in SETS:
            source = make(scratch / f"source-{count}", count, size)
            with Copier(target) as copier:
                yield section(name, source, copier, scratch, memory, engine, max(3, round(rounds * share)))
            shutil.rmtree(source)
    finally:
        shutil.rmtree(memory)


def section(name, source, copier, scratch, memory, engine, rounds):
    tar = machine.which("tar")
    pack = [tar, "-C", source, "-cf", "-", "."]

    def tar_to(folder):
        unpack = pipe(pack, [tar, "-C", folder / "copy", "-xf", "-"])

        def run():
            (folder / "copy").mkdir()
            taken = unpack()
            shutil.rmtree(folder / "copy")
            return taken

        return run

    arms = {
        "cp_in": lambda: copier.copy(source),
        "tar to tar, tmpfs": tar_to(memory),
        "tar to tar, disk": tar_to(scratch),
    }
    targets = [
        Target("cp_in", "tar to tar, tmpfs", 1, "at least as fast as `tar | tar` to a tmpfs, where the bottle's files are too"),
        Target("cp_in", "tar to tar, disk", 1, "at least as fast as `tar | tar` to the disk"),
    ]
    if not engine.here:
        return Section(f"Copy in: {name}", "ms", interleave(arms, rounds, warm=1), targets)
    with engine.running(*IDLE) as container:
        call = engine.call()

        def into_container(arm):
            def run():
                subprocess.run(container.exec("mkdir", "/copy"), check=True, capture_output=True)
                taken = arm()
                subprocess.run(container.exec("rm", "-r", "/copy"), check=True, capture_output=True)
                return taken

            return run

        arms["docker cp"] = into_container(program([*call, "cp", f"{source}/.", f"{container.id}:/copy"]))
        into = [*call, "exec", "-i", container.id, "tar", "-C", "/copy", "-xf", "-"]
        arms["tar to docker exec tar"] = into_container(pipe(pack, into))
        return Section(f"Copy in: {name}", "ms", interleave(arms, rounds, warm=1), targets)


class Copier:
    """A bottle that copies what it is told and says how long that took."""

    def __init__(self, target):
        self.argv = [target / "examples/cp_bench"]

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def copy(self, source):
        self.process.stdin.write(f"{source}\n")
        self.process.stdin.flush()
        return int(self.answer()) / 1e6

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"bench: {self.argv[0]} ended with {self.process.wait()}")
        return line


def make(folder, count, size):
    """Files that do not compress, a hundred to a folder."""
    block = os.urandom(min(size, 1 << 20))
    for at in range(count):
        place = folder / f"folder-{at // 100}"
        place.mkdir(parents=True, exist_ok=True)
        with (place / f"file-{at}").open("wb") as file:
            left = size
            while left > 0:
                left -= file.write(block[:left])
    return folder
