"""Turns what was measured into the tables of docs/performance.md."""
import dataclasses
import datetime

import machine
from report import number

BEGIN, END = "<!-- bench/egress:begin -->", "<!-- bench/egress:end -->"
OURS, INSIDE = "bot-bottle", "in-bottle"


@dataclasses.dataclass
class Target:
    """`ours` is to be at least `factor` times `theirs` plus `more`; at most, where `most`."""

    words: str
    what: str
    theirs: str | None = None
    factor: float = 1
    more: float = 0
    most: bool = False
    unit: str = ""
    ours: str = OURS

    def judge(self, results):
        ours = results.median(self.ours, self.what)
        against = results.median(self.theirs, self.what) if self.theirs else 0
        if ours is None or against is None:
            return f"not judged: {self.words}"
        limit = self.factor * against + self.more
        met = ours <= limit if self.most else ours >= limit
        return f"{'met' if met else '**missed**'}: {self.words} ({number(ours)} of {number(limit)}{self.unit})"


TARGETS = [
    Target("1 KB at 16 connections at least 0.9 of nginx", "kept 16 per_second", "nginx", 0.9),
    Target("1 KB at 16 connections at least 30 times mitmdump", "kept 16 per_second", "mitmdump", 30),
    Target("p50 at one connection at most nginx's plus 0.05 ms", "kept 1 p50_ms", "nginx", 1, 0.05, True, " ms"),
    Target("10 MB down at least 0.8 of direct", "down", "direct", 0.8, unit=" MB/s"),
    Target("10 MB up at least 0.55 of direct", "up", "direct", 0.55, unit=" MB/s"),
    *(Target(f"new connections at least hudsucker's, {at} at once", f"new {at} per_second", "hudsucker") for at in (1, 16, 64)),
    Target("a new host's leaf at most 1 ms", "leaf_ms", more=1, most=True, unit=" ms"),
    Target("at rest at most 8 MB (7.63 MiB) PSS", "rest", more=8e6 / 2**20, most=True, unit=" MiB"),
    Target("after the runs at most 30 MB (28.6 MiB) PSS", "after", more=30e6 / 2**20, most=True, unit=" MiB"),
    *(
        Target(f"through a bottle at most 15 % below the bare proxy, {words}", what, OURS, 0.85, ours=INSIDE)
        for words, what in (
            *((f"1 KB at {at}", f"kept {at} per_second") for at in (1, 16, 64)),
            *((f"new connections at {at}", f"new {at} per_second") for at in (1, 16, 64)),
            ("10 MB down", "down"),
            ("10 MB up", "up"),
        )
    ),
]


def text(results, started, options, arguments):
    parts = [
        head(arguments, options, started),
        rates("Requests of 1 KB over kept connections", "kept", results, started),
        rates("Requests of 1 KB, each over a new connection, TLS sessions not resumed", "new", results, started),
        transfers(results, started),
        leaves(results, started),
        memory(results, started),
        "\n".join(f"- Target {target.judge(results)}." for target in TARGETS),
        "\n".join(f"- Not measured: {reason}." for reason in started.missing),
        "\n".join(f"- Went wrong: {line}." for line in results.wrong),
    ]
    return "\n\n".join(part for part in parts if part)


def head(arguments, options, started):
    today = datetime.date.today().isoformat()
    command = " ".join(["bench/egress/run", *arguments])
    return (
        f"Measured {today} with `{command}` on: {machine.hardware()}; {versions()}; bot-bottle at {machine.revision()}. "
        f"Medians of {options.rounds} rounds of {options.seconds} s each."
    )


def versions():
    import programs

    said = [
        machine.said([str(programs.VENV / "bin/mitmdump"), "--version"]).replace(":", ""),
        machine.said(["squid", "--version"]),
        nginx_version(),
        "hudsucker 0.25",
    ]
    return ", ".join(version for version in said if version)


def nginx_version():
    import subprocess

    nginx = machine.which("nginx")
    return subprocess.run([nginx, "-v"], capture_output=True, text=True).stderr.strip().replace("nginx version: ", "") if nginx else ""


def rates(title, kind, results, started):
    what = [(at, figure) for at in (1, 16, 64) for figure in ("per_second", "p50_ms", "p99_ms")]
    heads = [{"per_second": f"{at}: req/s", "p50_ms": "p50 ms", "p99_ms": "p99 ms"}[figure] for at, figure in what]
    rows = [[arm.words, *(shown(results, arm, f"{kind} {at} {figure}") for at, figure in what)] for arm in started.arms]
    return table(title, ["arm", *heads], rows)


def transfers(results, started):
    rows = [[arm.words, shown(results, arm, "down"), shown(results, arm, "up")] for arm in started.arms]
    return table("Bodies of 10 MB over one kept connection", ["arm", "down MB/s", "up MB/s"], rows)


def leaves(results, started):
    rows = [[arm.words, *(shown(results, arm, what) for what in ("first_ms", "second_ms", "leaf_ms"))] for arm in started.arms if arm.mints]
    return table("The first handshake with a host", ["arm", "first ms", "second ms", "the leaf's part ms"], rows)


def memory(results, started):
    rows = []
    for arm in started.arms:
        if arm.service:
            size = results.median(arm.name, "body size")
            kept = [shown(results, arm, what) for what in ("rest", "after", "body before", "body most")]
            rows.append([arm.words, *kept, f"{size / 1e9:g}" if size else "–"])
    heads = ["arm", "at rest", "after the runs", "before large bodies", "most during them", "their size GB, up and down"]
    return table("Memory of the proxy (PSS, MiB)", heads, rows)


def shown(results, arm, what):
    value = results.median(arm.name, what)
    return "–" if value is None else number(value)


def table(title, heads, rows):
    lines = [f"### {title}", "", "| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
