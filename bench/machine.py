"""This machine: what it is, what is missing on it, and the project's release build."""
import contextlib
import os
import pathlib
import platform
import shutil
import subprocess

PROJECT = pathlib.Path(__file__).resolve().parent.parent


def which(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def install():
    needed = {"bwrap": "bubblewrap", "dockerd": "docker.io", "mmdebstrap": "mmdebstrap"}
    packages = [package for program, package in needed.items() if not which(program)]
    if packages:
        env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        subprocess.run(["apt-get", "-qq", "update"], check=True, env=env)
        subprocess.run(["apt-get", "-qq", "-y", "--no-install-recommends", "install", *packages], check=True, env=env)


def undisturbed():
    """What is started from here on is run before whatever else wants the processors (`sched(7)`, SCHED_RR), where that is allowed:
    other programs on the machine then cost a measurement little. Builds come before this."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        pass


@contextlib.contextmanager
def first_in_line():
    """The same for a part of the run. Not for an engine's containers, which such a process may not be put into (`cgroups(7)`)."""
    undisturbed()
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def build():
    """Builds what is measured; answers the folder of the release build."""
    for what in (["-p", "bot-bottle"], ["-p", "backend-native", "--example", "cp_bench"]):
        subprocess.run(["cargo", "build", "--release", "--locked", "--quiet", *what], check=True, cwd=PROJECT)
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", PROJECT / "target")).resolve() / "release"


def facts(engine):
    versions = [said(["bwrap", "--version"]), engine.version if engine.here else "", said(["tar", "--version"])]
    return f"{hardware()}; {', '.join(version for version in versions if version)}; bot-bottle at {revision()}"


def hardware():
    cpu = first(pathlib.Path("/proc/cpuinfo"), "model name")
    memory = int(first(pathlib.Path("/proc/meminfo"), "MemTotal").split()[0]) / 1024 / 1024
    who = "root" if os.getuid() == 0 else "an ordinary user"
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    return f"{cpu}, {os.cpu_count()} processors, {memory:.0f} GiB; {system}, kernel {platform.release()}; run as {who}"


def revision():
    return said(["git", "-C", str(PROJECT), "describe", "--always", "--dirty"])


def said(argv):
    """The first line that a program prints."""
    if not which(argv[0]):
        return ""
    lines = subprocess.run(argv, capture_output=True, text=True).stdout.splitlines()
    return lines[0] if lines else ""


def first(path, key):
    lines = (line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
    return next((value.strip() for name, value in lines if name.strip() == key), "?")
