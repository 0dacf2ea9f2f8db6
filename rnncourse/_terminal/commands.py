"""The learner's commands: what each does and prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .. import _workspace
from .._errors import CourseError
from .._notebook import own_cells
from ..checks.display import status, styled
from .names import Target, assignment, targets
from .runner import Checked, Limits, Runner

UNREADABLE = "cannot be read"
NARROW = 72
"""A screen of fewer columns has no room for a table with whole names."""
MAX_LINES = 5
"""Of what a function printed: it is called a dozen times, so more would hide the reports."""

Row = tuple[str, str, str, str]
"""A notebook, one of its exercises, how many checks passed, and its state."""


def limits(exercise: float | None, cell: float | None) -> Limits:
    """The usual limits, but for what is given, in seconds."""
    usual = Limits()
    return Limits(exercise or usual.exercise, cell or usual.cell)


def check(typed: Sequence[str], limits: Limits, console: Console) -> bool:
    """Show the reports on what is asked for; whether all is right."""
    right = True
    with _runner(limits, console) as runner:
        for target in targets(typed, Path()):
            console.print(Text(str(target.path), style="bold"))
            checked = _run(target, runner)
            if checked:
                _show(checked, console)
            right = right and checked is not None and checked.right
    return right


def progress(limits: Limits, console: Console) -> bool:
    """Show a row for each exercise of the workspace; whether every notebook could be run."""
    found = targets([str(path) for path in _workspace.notebooks(_workspace.root(Path()))], Path())
    rows: list[Row] = []
    failed = []
    with _runner(limits, console) as runner:
        for target in found:
            checked = _run(target, runner)
            rows += _rows(target, checked)
            if checked is None or checked.errors:
                failed.append(target.chapter)
            if checked:
                _show_errors(checked, console)
    if console.width < NARROW:
        for notebook, *parts in rows:
            console.print(f"{notebook} {', '.join(part for part in parts if part)}")
    else:
        table = Table("notebook", "exercise", "public checks", "state")
        for row in rows:
            table.add_row(*row)
        console.print(table)
    return not failed


def submit(typed: str, limits: Limits, console: Console) -> None:
    """Write the one file to hand in, and say what is not done."""
    target = assignment(typed, Path())
    _workspace.refuse_submission(target.path)
    notebook = _workspace.read(target.path)
    _workspace.refuse_empty(target.path, notebook)
    with _runner(limits, console) as runner:
        checked = runner.run(target.path, own_cells(notebook), target.exercises)
    _show_errors(checked, console)
    if all(report.unfilled for report in checked.reports):
        console.print("Nothing is filled in yet.")
    if open_ones := [f"{r.exercise} ({status(r)})" for r in checked.reports if not r.complete]:
        said = f"Not done: {', '.join(open_ones)}. You can hand it in all the same."
        console.print(said, markup=False)
    path = _workspace.hand_in(target.path, notebook)
    console.print(f"Hand in this file: {_from_here(path)}", markup=False)


def _from_here(path: Path) -> str:
    """A path as one types it here: submit/lstm.ipynb, ../submit/lstm.ipynb."""
    try:
        return os.path.relpath(path.resolve())
    except ValueError:  # it is on another drive
        return str(path)


@contextmanager
def _runner(limits: Limits, console: Console) -> Iterator[Runner]:
    """A runner; where the screen may be drawn on, it shows what runs now."""
    if not console.is_terminal or console.color_system is None:
        with Runner(limits, lambda what: None) as runner:
            yield runner
        return
    with (
        console.status("", spinner="line") as line,
        Runner(limits, lambda what: line.update(Text(what))) as runner,
    ):
        yield runner


def _run(target: Target, runner: Runner) -> Checked | None:
    """What becomes of a notebook; None if it is not run or cannot be read, which is said."""
    try:
        _workspace.refuse_submission(target.path)
        cells = own_cells(_workspace.read(target.path))
    except CourseError as error:
        print(f"rnncourse: {error}", file=sys.stderr, flush=True)
        return None
    return runner.run(target.path, cells, target.exercises)


def _show(checked: Checked, console: Console) -> None:
    _show_errors(checked, console)
    for note in checked.notes:
        console.print(f"  {note}", markup=False)
    for report in checked.reports:
        console.print(styled(report))
        for line in checked.printed[report.exercise].splitlines()[:MAX_LINES]:
            console.print(f"      it printed: {line}", markup=False)


def _show_errors(checked: Checked, console: Console) -> None:
    for _, error in sorted(checked.errors.items()):
        console.print(f"  {error}", markup=False)


def _rows(target: Target, checked: Checked | None) -> list[Row]:
    """A row for each exercise of a notebook."""
    if checked is None:
        return [(target.chapter, name, "", UNREADABLE) for name in target.exercises]
    return [
        (target.chapter, r.exercise, f"{r.passed} of {len(r.stages)}", status(r))
        for r in checked.reports
    ]
