"""A Docker engine: the one that answers, or one of our own for the time of the run."""
import os
import pathlib
import subprocess
import time

import machine

IMAGE = "bot-bottle-bench:bookworm"


class Engine:
    def __init__(self, folder, reason=None):
        self.folder, self.reason, self.here, self.own = folder, reason, False, None
        self.docker = machine.which("docker")

    @classmethod
    def find(cls, folder, unwanted, skipped):
        engine = cls(folder, "Docker: left out on request" if unwanted else None)
        engine.skipped = skipped
        return engine

    def __enter__(self):
        reason = self.reason or self.open()
        if reason:
            self.skipped.append(reason)
            self.close()
        self.here = reason is None
        return self

    def __exit__(self, *_):
        self.close()

    def open(self):
        """Answers why it could not be opened."""
        if not self.docker:
            return "Docker: not installed (apt-get install docker.io, or bench/run --install)"
        self.host = []
        if subprocess.run([self.docker, "info"], capture_output=True).returncode != 0:
            reason = self.start_own()
            if reason:
                return reason
        versions = subprocess.run([*self.call(), "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True)
        self.version = f"Docker engine {versions.stdout.strip()}"
        return self.import_image()

    def start_own(self):
        dockerd = machine.which("dockerd")
        if os.getuid() != 0 or not dockerd:
            return "Docker: no engine answers, and starting one takes root and dockerd"
        self.folder.mkdir()
        socket = f"unix://{self.folder}/sock"
        self.log = self.folder / "log"
        options = ["--data-root", self.folder / "data", "--exec-root", self.folder / "exec", "--pidfile", self.folder / "pid"]
        network = ["--bridge=none", "--iptables=false", "--ip6tables=false"]
        with self.log.open("wb") as log:
            self.own = subprocess.Popen([dockerd, "--host", socket, *options, *network], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.host = ["--host", socket]
        until = time.monotonic() + 60
        while time.monotonic() < until and self.own.poll() is None:
            if subprocess.run([*self.call(), "info"], capture_output=True).returncode == 0:
                return None
            time.sleep(0.2)
        last = self.log.read_text(errors="replace").splitlines()[-1:]
        return f"Docker: dockerd did not come up: {' '.join(last)}"

    def import_image(self):
        archive = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "bot-bottle-bench/bookworm.tar"
        if not archive.exists():
            if not machine.which("mmdebstrap"):
                return "Docker: no base image (apt-get install mmdebstrap, or bench/run --install)"
            archive.parent.mkdir(parents=True, exist_ok=True)
            part = archive.with_suffix(".part.tar")
            made = subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "bookworm", part], capture_output=True)
            if made.returncode != 0:
                return f"Docker: mmdebstrap could not make a base image: {made.stderr.decode(errors='replace').strip()[-200:]}"
            part.rename(archive)
        imported = subprocess.run([*self.call(), "import", archive, IMAGE], capture_output=True, text=True)
        return f"Docker: importing the base image: {imported.stderr.strip()}" if imported.returncode else None

    def close(self):
        if self.own:
            self.own.terminate()
            self.own.wait()
            self.own = None
        elif self.here:
            subprocess.run([*self.call(), "image", "rm", IMAGE], capture_output=True)
        self.here = False

    def call(self):
        return [self.docker, *self.host]

    def start(self, *command):
        return [*self.call(), "run", "--rm", "--network", "none", IMAGE, *command]

    def running(self, *command):
        return Running(self, command)


class Running:
    """A container that runs `command` until the end of the `with` block."""

    def __init__(self, engine, command):
        self.engine, self.command = engine, command

    def __enter__(self):
        call = [*self.engine.call(), "run", "--detach", "--rm", "--network", "none", IMAGE, *self.command]
        self.id = subprocess.run(call, check=True, capture_output=True, text=True).stdout.strip()
        asked = [*self.engine.call(), "inspect", "--format", "{{.State.Pid}}", self.id]
        self.inside = int(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
        return self

    def __exit__(self, *_):
        subprocess.run([*self.engine.call(), "kill", self.id], capture_output=True)

    def exec(self, *command):
        return [*self.engine.call(), "exec", self.id, *command]
