"""A row for each exercise: what its check kills and names, what passes, and how long it takes.

python -m tools.table
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Column, Table

from rnncourse._exercise import Exercise, exercises
from rnncourse.checks import examine
from rnncourse.checks.fingerprints import load
from rnncourse.checks.plan import plan_of
from tools.answers import known, right

REPEATS = 20
IMPORT = (
    "import torch, time; t = time.perf_counter(); import rnncourse; print(time.perf_counter() - t)"
)


def main() -> None:
    """Print a row for each exercise."""
    table = Table(
        Column("exercise", no_wrap=True),
        *("stages", "cases", "killed", "named", "honest styles", "median check"),
    )
    for entry in exercises().values():
        table.add_row(entry.name, *row(entry))
    console = Console()
    console.print(table)
    added = statistics.median(float(python(IMPORT)) for _ in range(5))
    console.print(f"import rnncourse after torch: {added * 1000:.0f} ms, median of 5")


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
    main()
