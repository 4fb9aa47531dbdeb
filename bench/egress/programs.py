"""What is measured and what measures: built, installed, or missing."""
import dataclasses
import os
import pathlib
import subprocess
import sys

import machine

HERE = pathlib.Path(__file__).resolve().parent
MITMPROXY = "mitmproxy>=11,<12"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "bot-bottle-bench"
VENV = CACHE / "mitmproxy"
APT = {"nginx": "nginx-light", "squid": "squid-openssl", "openssl": "openssl"}


@dataclasses.dataclass
class Built:
    # The folder of the product's own release.
    release: pathlib.Path
    load: pathlib.Path
    hudsucker: pathlib.Path
    egress: pathlib.Path


def install():
    """As root; anybody else goes without, and the arms say so."""
    if os.getuid() == 0 and machine.which("apt-get"):
        packages = [package for program, package in APT.items() if not machine.which(program)]
        if packages:
            env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
            quiet(["apt-get", "-qq", "update"], env=env)
            quiet(["apt-get", "-qq", "-y", "--no-install-recommends", "install", *packages], env=env)
    if not (VENV / "bin/mitmdump").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        quiet(["/usr/bin/python3", "-m", "venv", VENV]) and quiet([VENV / "bin/pip", "install", "--quiet", MITMPROXY])


def quiet(argv, env=None):
    """Runs an installer; what fails is said, and shows again as a gap in the tables."""
    done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"bench: {' '.join(map(str, argv))}: {done.stderr.strip()[-300:]}", file=sys.stderr)
    return done.returncode == 0


def build():
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", machine.PROJECT / "target")).resolve()
    cargo = ["cargo", "build", "--release", "--quiet", "--target-dir", target]
    # Not --locked: its lock file follows what the product's crates ask for.
    subprocess.run([*cargo, "--manifest-path", HERE / "Cargo.toml"], check=True, stdin=subprocess.DEVNULL)
    subprocess.run([*cargo, "--locked", "--bins"], check=True, cwd=machine.PROJECT, stdin=subprocess.DEVNULL)
    release = target / "release"
    return Built(release, release / "load", release / "bare-hudsucker", release / "bare-egress")
