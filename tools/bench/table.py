"""What was measured, as a table of plain text and as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from tools.bench.measure import Cost, Sample

MB = 1 << 20
HEAD = (
    f"{'':42}{'learners':>8}{'wall s':>8}{'start s':>8}{'ms each':>9}{'CPU s':>8}{'CPU ms':>8}"
    f"{'main MB':>8}{'all MB':>8}{'others':>8}"
)
LEGEND = """\
wall s: from start to end. ms each: (wall - wall of a run with one submission) / (learners - 1).
start s: what that run takes beyond one submission; where it is not given, ms each contains it.
CPU s: processor time of all processes; CPU ms: a submission's, as ms each. main MB: most resident
memory of the main process; all MB: of it and all processes below it, shared pages counted once
(PSS); looked at twice a second. others: cores that other programs of the machine used meanwhile."""


@dataclass(frozen=True)
class Row:
    """A command on a class.

    Attributes:
        one: the same command on a class of one; None where that was not measured.
    """

    name: str
    learners: int
    cost: Cost
    one: Cost | None = None

    @property
    def seconds_each(self) -> float:
        """Wall time of a submission, start-up apart; with it where that was not measured."""
        return self._slope(self.cost.wall, self.one.wall if self.one else None)

    @property
    def cpu_each(self) -> float:
        """Processor time of a submission, as `seconds_each`."""
        return self._slope(self.cost.cpu, self.one.cpu if self.one else None)

    @property
    def start(self) -> float | None:
        """Seconds of a run that no submission takes; None where that was not measured."""
        return max(0.0, self.one.wall - self.seconds_each) if self.one else None

    def text(self) -> str:
        """The row as a line of the table."""
        start = "" if self.start is None else f"{self.start:.1f}"
        cost = self.cost
        return (
            f"{self.name:42}{self.learners:8}{cost.wall:8.1f}{start:>8}"
            f"{1000 * self.seconds_each:9.1f}{cost.cpu:8.1f}{1000 * self.cpu_each:8.1f}"
            f"{cost.main / MB:8.0f}{cost.tree / MB:8.0f}{cost.others:8.2f}"
        )

    def json(self) -> dict[str, Any]:
        """The row for a program."""
        return {
            "name": self.name,
            "learners": self.learners,
            "wall_seconds": self.cost.wall,
            "wall_seconds_of_one": self.one and self.one.wall,
            "start_seconds": self.start,
            "seconds_each": self.seconds_each,
            "cpu_seconds": self.cost.cpu,
            "cpu_seconds_each": self.cpu_each,
            "main_bytes": self.cost.main,
            "tree_bytes": self.cost.tree,
            "cores_used_by_others": self.cost.others,
            "samples": [asdict(sample) for sample in self.cost.samples],
        }

    def _slope(self, whole: float, one: float | None) -> float:
        return whole / self.learners if one is None else (whole - one) / (self.learners - 1)


def together(name: str, rows: Sequence[Row]) -> Row:
    """Commands that follow each other on the same class, as one."""
    ones = [row.one for row in rows if row.one]
    cost = _sum([row.cost for row in rows])
    return Row(name, rows[0].learners, cost, _sum(ones) if ones else None)


def table(rows: Sequence[Row]) -> str:
    """All rows with their header and what the columns mean."""
    return "\n".join([HEAD, *(row.text() for row in rows), "", LEGEND])


def ratio(slow: Row, fast: Row) -> str:
    """How many times as much one takes as the other."""
    wall, cpu = slow.seconds_each / fast.seconds_each, slow.cpu_each / fast.cpu_each
    return f"{slow.name} / {fast.name}: {wall:.3g} in time, {cpu:.3g} in processor time"


def growth(row: Row) -> str:
    """Time and memory in each thousand submissions of a long run."""
    lines = [f"{'up to':>8}{'ms each':>9}{'main MB':>9}{'all MB':>8}"]
    before = Sample(0.0, 0, 0, 0)
    for end in range(1000, row.learners + 1, 1000):
        now = next((s for s in row.cost.samples if s.done >= end), row.cost.samples[-1])
        if now.done > before.done:
            each = 1000 * (now.seconds - before.seconds) / (now.done - before.done)
            lines.append(f"{now.done:8}{each:9.1f}{now.main / MB:9.0f}{now.tree / MB:8.0f}")
        before = now
    return "\n".join(lines)


def machine() -> dict[str, Any]:
    """What all this is measured on."""
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "cores": len(affinity(0)) if affinity else os.cpu_count(),
        "processor": _processor(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "torch": version("torch"),
        "nbgrader": version("nbgrader"),
        "load_before": os.getloadavg()[0],
    }


def machine_text(facts: dict[str, Any]) -> str:
    """The machine in a line."""
    return (
        f"{facts['cores']} cores, {facts['processor']}, {facts['memory_bytes'] / 2**30:.0f} GB, "
        f"{facts['system']}, Python {facts['python']}, torch {facts['torch']}, "
        f"nbgrader {facts['nbgrader']}; load {facts['load_before']:.1f} before."
    )


def _sum(costs: Sequence[Cost]) -> Cost:
    wall = sum(c.wall for c in costs)
    return Cost(
        wall=wall,
        cpu=sum(c.cpu for c in costs),
        main=max(c.main for c in costs),
        tree=max(c.tree for c in costs),
        others=sum(c.others * c.wall for c in costs) / wall,
        samples=(),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(s.partition(": ")[2] for s in lines if s.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
