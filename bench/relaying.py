"""The relay's throughput against the session's socket used directly, which a bind mount would make possible."""
import contextlib
import ctypes
import os
import pathlib
import socket
import subprocess
import threading
import time

from report import Section, Target
from timing import interleave

AMOUNT = 512 << 20
PIECE = 1 << 20
# PROXY protocol, version 2: TCP over IPv4.
HEADER = 28
CLONE_NEWNET = 0x40000000


def throughput(engine, scratch, rounds):
    """Time for half a gigabyte out of a bottle's network, to a receiver that only counts."""
    ours, theirs, nobody = "through the relay", "the socket used directly", "TCP over loopback, nobody in between"
    with Ground(engine, scratch / "relay") as ground:
        arms = {ours: ground.through_the_relay, theirs: ground.directly, nobody: ground.over_loopback}
        target = Target(ours, theirs, 1 / 0.8, "at least 0.8 of the throughput of the socket used directly")
        return Section(f"In containers: {AMOUNT >> 20} MiB out of a bottle", "ms", interleave(arms, rounds), [target])


class Ground:
    """A container without a network, and a relay's that shares its network, made as bottles are but without a session."""

    def __init__(self, engine, folder):
        self.engine, self.folder = engine, folder

    def __enter__(self):
        self.folder.mkdir()
        self.path = self.folder / "outlet.sock"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        os.chmod(self.path, 0o666)
        self.listener.listen(64)
        self.stack = contextlib.ExitStack()
        self.container = self.stack.enter_context(self.engine.running("sleep", "86417"))
        # A session has imported it by now.
        image = self.docker("images", "--quiet", "bot-bottle-relay").split()[0]
        capabilities = ["NET_ADMIN", "NET_BIND_SERVICE", "SETGID", "SETPCAP", "SETUID"]
        self.relay = self.docker(
            "run", "--detach", "--rm", "--network", f"container:{self.container.id}", "--read-only", "--cap-drop", "ALL",
            *(f"--cap-add={name}" for name in capabilities), "--security-opt", "no-new-privileges",
            "--volume", f"{self.folder}:/outlet:ro", "--entrypoint", "/relay", image, "transparent", "/outlet/outlet.sock",
        ).strip()
        self.life, _ = self.listener.accept()
        return self

    def __exit__(self, *_):
        self.life.close()
        self.listener.close()
        self.stack.close()

    def docker(self, *words):
        return subprocess.run([*self.engine.call(), *words], check=True, capture_output=True, text=True).stdout

    def through_the_relay(self):
        return self.carried(self.listener, lambda: self.in_its_network(lambda: socket.create_connection(("203.0.113.1", 443))), HEADER)

    def directly(self):
        def connect():
            sender = socket.socket(socket.AF_UNIX)
            sender.connect(str(self.path))
            return sender
        return self.carried(self.listener, connect, 0)

    def over_loopback(self):
        """What is left of a program's own connection without a relay: the kernel's share of the way."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            return self.carried(listener, lambda: socket.create_connection(listener.getsockname()), 0)

    def in_its_network(self, connect):
        """For a thread that goes no further: `setns(2)` counts for it alone."""
        with pathlib.Path(f"/proc/{self.container.inside}/ns/net").open() as network:
            if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        return connect()

    def carried(self, listener, connect, before):
        start = time.perf_counter_ns()
        sending = threading.Thread(target=send, args=[connect])
        sending.start()
        taker, _ = listener.accept()
        got, room = 0, bytearray(PIECE)
        with taker:
            while count := taker.recv_into(room):
                got += count
        taken = time.perf_counter_ns() - start
        sending.join()
        if got != AMOUNT + before:
            raise SystemExit(f"bench: {got} bytes came through of {AMOUNT + before}")
        return taken / 1e6


def send(connect):
    piece = bytes(PIECE)
    with connect() as sender:
        for _ in range(AMOUNT // PIECE):
            sender.sendall(piece)
