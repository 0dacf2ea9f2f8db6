"""`rnncourse collect`: collects into a course folder, and prints what happened to every file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..._errors import CourseError
from ..course import Course
from ..names import distinct
from .choosing import NO_NOTEBOOK
from .collect import NO_FILE, Collected, collect_into
from .importer import OTHER_FILE, Outcome, Row

MAX_ROWS = 40
"""Up to how many learners are all listed."""
MAX_LEFT = 10
"""Of one learner's other files that are listed."""
MAX_IGNORED = 20
"""Sentences on what was not looked at."""


def collect_archive(
    archive: Path,
    assignment: str,
    folder: Path,
    console: Console,
    pattern: str | None = None,
    replace: bool = False,
    everybody: bool = False,
) -> None:
    """What `rnncourse collect` does: collect into a course folder, and print what happened.

    Args:
        everybody: list all learners, also where there are many and nothing is to be said.

    Raises:
        CourseError: an input is wrong, and nothing was collected; or some learners' files could not
            be, and all others were.
    """
    if not folder.is_dir():
        raise CourseError(f"there is no folder {folder}.")
    course = Course.open(folder)
    done = collect_into(course, archive, assignment, pattern, replace)
    listed = done.rows if everybody or len(done.rows) <= MAX_ROWS else list(filter(_odd, done.rows))
    if listed:
        console.print(_table(listed))
    if len(listed) < len(done.rows):
        console.print(f"Not listed: {len(done.rows) - len(listed)} that are plain; --all lists all")
    for sentence in done.ignored[:MAX_IGNORED]:
        console.print(Text(f"Not looked at: {sentence}."))
    if (more := len(done.ignored) - MAX_IGNORED) > 0:
        console.print(f"Not looked at: {_files(more)} more.")
    if done.unmatched:
        console.print(Text(f"Belongs to no learner: {_some(done.unmatched, 20)}."))
    console.print(_summary(done.rows))
    console.print(Text(f"Submissions: {course.submitted_folder}"))
    if reasons := list(_wrong(done)):
        reasons[0] = reasons[0][0].lower() + reasons[0][1:]
        raise CourseError(" ".join(reasons))


def _odd(row: Row) -> bool:
    """Whether there is more to say than that a learner's notebook is there."""
    others = any(left.why != OTHER_FILE for left in row.left)
    return row.outcome not in ("new", "there already") or bool(row.why) or others


def _table(rows: Iterable[Row]) -> Table:
    table = Table("learner", "file", "what happened")
    for row in rows:
        happened = f"{row.outcome}: {row.why}" if row.why else row.outcome
        student = distinct(row.student)
        table.add_row(Text(student), Text(_some(row.files)), Text(happened))
        for left in row.left[:MAX_LEFT]:
            table.add_row(Text(student), Text(left.file), Text(f"not taken: {left.why}"))
        if len(row.left) > MAX_LEFT:
            more = _files(len(row.left) - MAX_LEFT)
            table.add_row(Text(student), Text(f"and {more} more"), Text("not taken"))
    return table


def _summary(rows: Iterable[Row]) -> str:
    """How many learners there were of each outcome."""
    times = Counter(row.outcome for row in rows)
    return ", ".join(f"{times[name]} {name}" for name in get_args(Outcome) if times[name]) + "."


def _wrong(done: Collected) -> Iterator[str]:
    """What somebody has to look at, a sentence each."""
    failed = [row for row in done.rows if row.outcome == "not collected"]
    without = [distinct(row.student) for row in failed if row.why in (NO_NOTEBOOK, NO_FILE)]
    if others := [distinct(row.student) for row in failed if row.why not in (NO_NOTEBOOK, NO_FILE)]:
        yield f"Not collected: {_some(others, 20)}; the table says why."
    if without:
        yield f"{_learners(len(without))} handed in no notebook: {', '.join(without)}."
    if doubtful := [distinct(row.student) for row in done.rows if row.in_doubt]:
        yield f"Several notebooks, which the grader may refuse: {_some(doubtful, 20)}."
    if done.ignored:
        yield f"Not looked at, as said above: {_files(len(done.ignored))}."


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number} files"


def _learners(number: int) -> str:
    return "1 learner" if number == 1 else f"{number} learners"


def _some(names: Sequence[str], limit: int = 3) -> str:
    """Names, or the first of many."""
    more = [f"and {len(names) - limit} more"] if len(names) > limit else []
    return ", ".join([*names[:limit], *more])
