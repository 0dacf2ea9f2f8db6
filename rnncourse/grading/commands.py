"""What `rnncourse release` and `rnncourse grade` do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..errors import CourseError
from .classroom import grade_class
from .course import Checkout, Course
from .files import write
from .host import Limits
from .record import Record, report_rows
from .release import release
from .sandbox import Launch, obstacle, sandboxed, unsafe


def release_assignments(names: Sequence[str] | None, console: Console) -> None:
    """Release assignments by name, or all.

    Raises:
        CourseError: an assignment is unknown or cannot be released.
    """
    checkout = Checkout.find(None)
    for name in _chosen(checkout, names):
        console.print(f"released  {shortest(release(checkout.root, name))}")


def grade_assignments(
    names: Sequence[str] | None,
    folder: Path,
    console: Console,
    *,
    specs: Path | None = None,
    student: str | None = None,
    report: Path | None = None,
    seconds: tuple[float, float] = (60.0, 10.0),
    protected: bool = True,
) -> None:
    """Grade assignments by name, or all that somebody handed in; print marks and where they went.

    Args:
        seconds: for all cells of a notebook, and for each exercise.

    Raises:
        CourseError: an input is wrong, and nothing was graded; or some submissions were refused,
            and everything else was graded.
    """
    checkout = Checkout.find(specs)
    chosen = _chosen(checkout, names)
    if not folder.is_dir():
        raise CourseError(f"there is no folder {folder}.")
    if report and report.is_dir():
        raise CourseError(f"{report} is a folder; the report is a file.")
    course = Course(folder)
    if not names:
        chosen = [name for name in chosen if any((folder / "submitted").glob(f"*/{name}"))]
    work = {name: _one_or_all(course.students(name), student, name) for name in chosen}
    if not work:
        raise CourseError(f"nobody has handed in anything in {folder / 'submitted'}.")
    launch = _launch(protected)
    limits = Limits(*seconds)
    records: list[Record] = []
    try:
        for name, students in work.items():
            with console.status(f"{name}: starting") as status:
                for record in grade_class(checkout, course, name, students, limits, launch):
                    records.append(record)
                    status.update(f"{name}: {len(records)} graded, last {record.student}")
    except KeyboardInterrupt:
        console.print(f"Stopped: {len(records)} graded and kept. The next run grades all again.")
        raise SystemExit(130) from None
    console.print(_table(records))
    if report:
        rows = json.dumps(report_rows(records), indent=1, ensure_ascii=False)
        write(report, rows + "\n")
    _say_where(course, report, records, console)
    for name in chosen:
        if student is None and (without := course.without(name)):
            console.print(f"Nothing handed in for {name}: {', '.join(without)}")
    refused = [r.student for r in records if any(e.verdict == "refused" for e in r.exercises)]
    if refused:
        raise CourseError(f"refused, and marked 0: {', '.join(refused)}; the table says why.")


def shortest(path: Path) -> Path:
    """A path relative to the current folder, where it lies below."""
    path = path.resolve()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _launch(protected: bool) -> Launch:
    if not protected:
        return unsafe()
    if reason := obstacle():
        raise CourseError(f"{reason} To grade without it all the same: --no-sandbox.")
    return sandboxed()


def _chosen(checkout: Checkout, names: Sequence[str] | None) -> list[str]:
    return [checkout.known(name) for name in names] if names else checkout.assignments()


def _one_or_all(found: list[str], wanted: str | None, assignment: str) -> list[str]:
    if wanted is None:
        return found
    if wanted not in found:
        raise CourseError(f"{wanted} has not handed in {assignment}.")
    return [wanted]


def _table(records: Sequence[Record]) -> Table:
    table = Table("learner", "assignment", "mark", "why", show_lines=False)
    for record in records:
        mark = f"{record.points:g} of {record.max_points:g}"
        table.add_row(record.student, record.assignment, mark, _why(record))
    return table


def _why(record: Record) -> str:
    """One sentence on a submission: the first exercise that is not all right."""
    if all(e.verdict == "unfilled" for e in record.exercises):
        return "Nothing is filled in."
    for e in record.exercises:
        if e.verdict == "refused":
            return e.message
        if e.verdict != "passed":
            return f"{e.exercise}: {e.message}"
    return "All hidden tests passed."


def _say_where(
    course: Course, report: Path | None, records: Sequence[Record], console: Console
) -> None:
    layers = sorted({r.sandbox for r in records})
    if "none" in layers:
        console.print("[bold]Learners' code ran WITHOUT a sandbox.[/bold]")
    else:
        console.print(f"Learners' code ran under: {', '.join(layers)}")
    console.print(f"Marks: {shortest(course.root / 'gradebook.db')}")
    console.print(f"Feedback pages: {shortest(course.root / 'feedback')}")
    if report:
        console.print(f"Report: {shortest(report)}")
