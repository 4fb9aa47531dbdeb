"""A program that serves until it is stopped."""
import socket
import subprocess
import tempfile
import time

import memory
from bubblewrap import below


class Unavailable(Exception):
    """Why an arm cannot be measured here."""


class Service:
    def __init__(self, name, argv, env=None):
        self.name, self.argv, self.env = name, [str(part) for part in argv], env

    def start(self, port):
        """Comes back when it listens."""
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.argv, env=self.env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        until = time.monotonic() + 30
        while time.monotonic() < until and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise Unavailable(f"{self.name} did not come up: {self.last_words()}")

    def last_words(self):
        self.log.seek(0)
        return " ".join(self.log.read().decode(errors="replace").split())[-300:] or "it said nothing"

    def pss(self):
        """MiB of all its processes."""
        return sum(memory.pss(pid) for pid in [self.process.pid, *below(self.process.pid)]) / 1024

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
