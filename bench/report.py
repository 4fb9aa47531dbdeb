"""Turns figures into the tables of docs/performance.md."""
import dataclasses
import datetime

import machine

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


@dataclasses.dataclass
class Target:
    """`arm`'s median is to be at most `factor` times `against`'s, or at most `factor` itself."""

    arm: str
    against: str | None
    factor: float
    words: str

    def judge(self, figures):
        limit = self.factor * (figures[self.against].median if self.against else 1)
        reached = figures[self.arm].median
        return f"{'met' if reached <= limit else '**missed**'}: {self.words} ({number(reached)} of {number(limit)})"


@dataclasses.dataclass
class Section:
    title: str
    unit: str
    figures: list
    targets: list
    notes: list = dataclasses.field(default_factory=list)

    def text(self):
        named = {figure.name: figure for figure in self.figures}
        first = self.figures[0]
        base = next((target.against for target in self.targets if target.against), first.name)
        lines = [f"### {self.title}", "", f"| arm | median {self.unit} | p10 | p90 | runs | × {base} |", "| --- | --- | --- | --- | --- | --- |"]
        for figure in sorted(self.figures, key=lambda figure: figure.median):
            cells = [figure.name, number(figure.median), number(figure.share(0.1)), number(figure.share(0.9)), str(len(figure.values))]
            lines.append("| " + " | ".join([*cells, number(figure.median / named[base].median)]) + " |")
        lines += ["", *(f"- Target {target.judge(named)}." for target in self.targets), *(f"- Counted, MiB: {note}." for note in self.notes)]
        return "\n".join(lines)


def text(sections, skipped, facts, arguments):
    today = datetime.date.today().isoformat()
    head = f"Measured {today} with `{' '.join(['bench/run', *arguments])}` on: {facts}."
    left = "\n".join(f"- Not measured: {reason}." for reason in skipped)
    return "\n\n".join(part for part in [head, *(section.text() for section in sections), left] if part)


def write(text, begin=BEGIN, end=END):
    path = machine.PROJECT / "docs/performance.md"
    old = path.read_text()
    before, rest = old.split(begin, 1)
    _, after = rest.split(end, 1)
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def number(value):
    """Three digits that mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
