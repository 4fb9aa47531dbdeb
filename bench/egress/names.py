"""Names for the origin that every proxy looks up its own way: a hosts file that this run alone sees, in a mount namespace."""
import os
import pathlib
import subprocess
import sys
import tempfile

ORIGIN, SINK = "origin.bench.example", "sink.bench.example"
# The certificate of the origin is for all of these.
WILDCARD = "*.bench.example"
# So many hosts that no proxy has seen are there to be taken.
UNSEEN = 1200
INSIDE = "BB_EGRESS_BENCH_INSIDE"


def unseen(round, count):
    return [f"new-{round * count + at}.bench.example" for at in range(count)]


def enter():
    """Starts this program again where the names exist; returns there."""
    if os.environ.pop(INSIDE, None):
        return
    whole = [ORIGIN, SINK, *(f"new-{at}.bench.example" for at in range(UNSEEN))]
    lines = ["127.0.0.1 localhost", *(f"127.0.0.1 {name}" for name in whole)]
    spaces = ["--mount"] if os.getuid() == 0 else ["--mount", "--map-current-user", "--keep-caps"]
    with tempfile.NamedTemporaryFile("w", prefix="bb-hosts-") as hosts:
        hosts.write("\n".join(lines) + "\n")
        hosts.flush()
        pathlib.Path(hosts.name).chmod(0o644)
        again = ["sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', hosts.name, sys.executable, *sys.argv]
        ended = subprocess.run(["unshare", *spaces, *again], env=dict(os.environ, **{INSIDE: "yes"}))
    sys.exit(ended.returncode)
