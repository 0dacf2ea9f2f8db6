"""A row for each exercise: what its check kills and names, what passes, and how long it takes; or
the lines that exercises take of their author.

    python -m tools.table
    python -m tools.table --lines global_norm lstm_cell
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from rnncourse._exercise import Exercise, exercises, find
from rnncourse.checks import examine
from rnncourse.checks.fingerprints import load
from rnncourse.checks.plan import plan_of
from tools.answers import known, right
from tools.lines import PROSE, lines_of

REPEATS = 20
IMPORT = (
    "import torch, time; t = time.perf_counter(); import rnncourse; print(time.perf_counter() - t)"
)


def table(
    names: Annotated[list[str] | None, typer.Argument(help="exercises; all if left out")] = None,
    lines: Annotated[bool, typer.Option("--lines", help="of their author, part by part")] = False,
) -> None:
    """Print a row for each exercise."""
    entries = [find(name) for name in names] if names else list(exercises().values())
    console = Console()
    if lines:
        console.print(table_of_lines([entry.name for entry in entries]))
        return
    columns = ("stages", "cases", "killed", "named", "honest styles", "median check")
    rows = Table(Column("exercise", no_wrap=True), *columns)
    for entry in entries:
        rows.add_row(entry.name, *row(entry))
    console.print(rows)
    added = statistics.median(float(python(IMPORT)) for _ in range(5))
    console.print(f"import rnncourse after torch: {added * 1000:.0f} ms, median of 5")


def table_of_lines(names: list[str]) -> Table:
    """The lines that each part of exercises takes."""
    counted = {name: lines_of(name) for name in names}
    rows = Table(Column("lines by hand", no_wrap=True), *parts_of(counted))
    for name, parts in counted.items():
        code = sum(number for part, number in parts.items() if part not in PROSE)
        numbers = (*parts.values(), code, sum(parts.values()))
        rows.add_row(name, *(f"{number:.0f}" for number in numbers))
    return rows


def parts_of(counted: dict[str, dict[str, float]]) -> list[str]:
    """The headings: the parts, and two sums."""
    parts = next(iter(counted.values()))
    return [*parts, f"without the last {len(PROSE)}", "all"]


def row(entry: Exercise) -> list[str]:
    """What is known of an exercise."""
    mistakes, styles = known(entry.chapter, entry.name), right(entry.chapter, entry.name)
    reports = []
    for k in mistakes:
        entry.filled = k.function
        reports.append((k.mistake, examine(entry)))
    killed = sum(not report.complete for _, report in reports)
    named = sum(report.mistake == mistake for mistake, report in reports)
    passed, seconds = 0, []
    for style in styles:
        entry.filled = style.function
        passed += examine(entry).complete
        for _ in range(REPEATS):
            began = time.perf_counter()
            report = examine(entry)
            seconds.append(time.perf_counter() - began)
    entry.filled = None
    return [
        str(len(report.stages)),
        str(cases(entry)),
        f"{killed} of {len(mistakes)}",
        f"{named} of {len(mistakes)}",
        f"{passed} of {len(styles)}",
        f"{statistics.median(seconds) * 1000:.1f} ms",
    ]


def cases(entry: Exercise) -> int:
    """How many different calls the public check makes of a right answer."""
    stages = plan_of(entry.name).stages_on(load(entry.chapter)[entry.name].fixtures)
    return len({case.key for stage in stages for case in stage.cases})


def python(code: str) -> str:
    """What a new Python prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout


if __name__ == "__main__":
    typer.run(table)
