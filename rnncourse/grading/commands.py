"""What `rnncourse release` and `rnncourse grade` do."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .._errors import CourseError
from .checkout import Checkout
from .course import Course
from .files import write
from .names import RULES, distinct
from .progress import duration, watched
from .record import ByHand, ExerciseRecord, Marked, report_rows
from .release import release
from .results import write_overview
from .run import Exam, grade_class
from .sandbox.bubblewrap import caution
from .sandbox.job import Run
from .sandbox.limits import Limits
from .sandbox.pools import OpenPool, pool_opener

TABLE_ROWS = 60
"""Up to how many learners the terminal lists; the class page lists all."""


@dataclass(frozen=True)
class Options:
    """How to grade.

    Attributes:
        specs: the checkout with the solutions.
        gradebook: its URL, if it is not the course folder's own.
        student: only this learner.
        report: where the run's results are written as JSON.
        seconds: computing time for each exercise; None for the course's own setting.
        cell_seconds: computing time for all cells of a notebook, likewise.
        submission_seconds: time on the clock for all of a submission, likewise.
        workers: how many run at a time on this machine; None for one a core.
        scheduler: the address of a Dask scheduler whose workers run them instead.
        again: grade also what is done and has not changed.
        protected: whether learners' code runs in a sandbox.
    """

    specs: Path | None = None
    gradebook: str | None = None
    student: str | None = None
    report: Path | None = None
    seconds: float | None = None
    cell_seconds: float | None = None
    submission_seconds: float | None = None
    workers: int | None = None
    scheduler: str | None = None
    again: bool = False
    protected: bool = True


def release_assignments(names: Sequence[str] | None, console: Console) -> None:
    """Release assignments by name, or all.

    Raises:
        CourseError: an assignment is unknown or cannot be released.
    """
    checkout = Checkout.find(None)
    for name in _chosen(checkout, names):
        console.print(f"released  {shortest(release(checkout.root, name))}", markup=False)


def grade_assignments(
    names: Sequence[str] | None, folder: Path, console: Console, options: Options
) -> None:
    """Grade assignments by name, or all that somebody handed in; print marks and where they went.

    Raises:
        CourseError: an input is wrong, and nothing was graded; or some submissions were refused,
            and everything else was graded.
    """
    if not folder.is_dir():
        raise CourseError(f"there is no folder {folder}.")
    if options.report:
        _require_place(options.report)
    course = Course.open(folder, options.gradebook)
    named = _setting(course, "checkout")
    checkout = Checkout.find(options.specs or (Path(named) if named else None))
    chosen = _chosen(checkout, names)
    if not names:
        chosen = [name for name in chosen if any(course.submitted_folder.glob(f"*/{name}"))]
    work = {name: _one_or_all(course.students(name), options.student, name) for name in chosen}
    if not work:
        raise CourseError(f"nobody has handed in anything in {course.submitted_folder}.")
    limits = _limits(course, options)
    workers = options.workers or _setting(course, "workers")
    open_pool = pool_opener(workers, options.scheduler, options.protected)
    results: list[Marked] = []
    pages: list[Path] = []
    with course.lock():
        try:
            for name, students in work.items():
                with console.status(f"{name}: drawing the secret inputs"):
                    exam = Exam.prepare(checkout, course, name, limits, options.protected)
                marked, page = _grade(exam, students, open_pool, options.again, console)
                results += marked
                pages.append(page)
        except KeyboardInterrupt:
            console.print("Stopped. What is graded is kept; the same command goes on from there.")
            raise SystemExit(130) from None
    listed = len(results) <= TABLE_ROWS
    if listed:
        console.print(_table(results))
    if options.report:
        rows = json.dumps(report_rows(results), indent=1, ensure_ascii=False)
        write(options.report, rows + "\n")
    _say_where(course, options.report, results, console)
    for name in chosen:
        if options.student is None and (without := course.without(name)):
            console.print(f"Nothing handed in for {name}: {_people(without)}", markup=False)
    _raise_if_refused(results, [] if listed else pages, course.misnamed())


def _require_place(report: Path) -> None:
    """Make sure that the report can be written before anything is graded.

    Raises:
        CourseError: its name is a folder's, or the folder for it is not there or is read-only.
    """
    if report.is_dir():
        raise CourseError(f"{report} is a folder; the report is a file.")
    if not report.parent.is_dir():
        raise CourseError(f"there is no folder {report.parent} for the report.")
    if not os.access(report.parent, os.W_OK):
        raise CourseError(f"the report cannot be written to the folder {report.parent}.")


def _grade(
    exam: Exam, students: Sequence[str], open_pool: OpenPool, again: bool, console: Console
) -> tuple[list[Marked], Path]:
    """Grade a class and say how it went; the results, briefly, and the class page."""
    begun = time.monotonic()
    with closing(exam.book) as book:
        graded = grade_class(exam, students, open_pool, again)
        seen = watched(graded, exam.name, len(students), console)
        done = [(one.record.brief(), one.fresh) for one in seen]
        page = write_overview(exam.course, exam.name, book)
        by_hand = book.everyone()
    results = [Marked(record, by_hand.get(record.student, ByHand())) for record, _ in done]
    fresh = sum(is_fresh for _, is_fresh in done)
    seconds = time.monotonic() - begun
    console.print(_summary(exam.name, fresh, results, seconds), markup=False)
    console.print(f"Class page: {shortest(page)}", markup=False)
    return results, page


def shortest(path: Path) -> Path:
    """A path relative to the current folder, where it lies below."""
    path = path.resolve()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _summary(name: str, fresh: int, results: Sequence[Marked], seconds: float) -> str:
    """What became of a class."""
    waiting = sum(one.waits for one in results)
    return (
        f"{name}: {fresh} graded, {len(results) - fresh} had not changed, in {duration(seconds)}; "
        f"{waiting or 'nobody'} {'wait' if waiting > 1 else 'waits'} for a person"
    )


def _setting(course: Course, name: str) -> Any:
    """What the course's nbgrader_config.py says, for nbgrader's commands too; None if nothing."""
    return course.config.CourseGrader.get(name)


def _limits(course: Course, options: Options) -> Limits:
    def chosen(name: str, usual: float) -> float:
        return float(getattr(options, name) or _setting(course, name) or usual)

    return Limits(
        cells=chosen("cell_seconds", Limits.cells),
        exercise=chosen("seconds", Limits.exercise),
        submission=chosen("submission_seconds", Limits.submission),
    )


def _chosen(checkout: Checkout, names: Sequence[str] | None) -> list[str]:
    return [checkout.known(name) for name in names] if names else checkout.assignments()


def _one_or_all(found: list[str], wanted: str | None, assignment: str) -> list[str]:
    if wanted is None:
        return found
    if wanted not in found:
        raise CourseError(f"{wanted} has not handed in {assignment}.")
    return [wanted]


def _raise_if_refused(
    results: Sequence[Marked], pages: Sequence[Path], misnamed: Sequence[str]
) -> None:
    """Say who was refused and where the reasons are: on these pages; in the table if there are
    none."""
    refused = [one.record.student for one in results if one.refused]
    reasons = []
    if refused:
        said = ", ".join(f"{shortest(page)}" for page in pages)
        where = f"the class page says why: {said}." if pages else "the table says why."
        reasons.append(f"refused, and marked 0: {_people(refused)}; {where}")
    if misnamed:
        reasons.append(f"{RULES}: {', '.join(misnamed)}.")
    if reasons:
        raise CourseError(" ".join(reasons))


def _people(students: Sequence[str]) -> str:
    return ", ".join(map(distinct, students))


def _table(results: Sequence[Marked]) -> Table:
    table = Table("learner", "assignment", "mark", "why", show_lines=False)
    for one in sorted(results, key=lambda m: (m.record.assignment, m.record.student)):
        record = one.record
        mark = f"{round(one.points, 2):g} of {record.max_points:g}"
        # As Text: a learner's name or message is not to be read as rich's markup.
        table.add_row(*map(Text, (distinct(record.student), record.assignment, mark, _why(one))))
    return table


def _why(one: Marked) -> str:
    """Where a mark comes from: what the tests say, and what people and deadlines have added."""
    by_hand = one.by_hand
    said = [_what_tests_say(one)]
    if marked := [e.exercise for e in one.record.exercises if e.exercise in by_hand.scores]:
        said.append(f"Marked by a person: {', '.join(marked)}.")
    if extra := sum(by_hand.extra.values()):
        said.append(f"Extra: +{extra:g}.")
    if by_hand.penalty:
        said.append(f"Late: -{by_hand.penalty:g}.")
    return " ".join(sentence for sentence in said if sentence)


def _what_tests_say(one: Marked) -> str:
    """One sentence: the first exercise that is not all right, of those that no person has marked;
    "" if a person has marked all of them."""
    if one.refused:
        return one.refused
    tested = [e for e in one.record.exercises if e.exercise not in one.by_hand.scores]
    if tested and all(e.verdict == "unfilled" for e in tested):
        return "Nothing is filled in."
    wrong = (_what_is_wrong(e) for e in tested if e.points is None or e.verdict != "passed")
    return next(wrong, "All hidden tests passed." if tested else "")


def _what_is_wrong(e: ExerciseRecord) -> str:
    if e.points is None:
        return f"{e.exercise} waits for a person: {'; '.join(e.flags)}."
    return f"{e.exercise}: {e.message}"


def _say_where(
    course: Course, report: Path | None, results: Sequence[Marked], console: Console
) -> None:
    layers = sorted({one.record.sandbox for one in results} - {Run().layers})
    if "none" in layers:
        console.print("[bold]Learners' code ran WITHOUT a sandbox.[/bold]")
    elif layers:
        console.print(f"Learners' code ran under: {', '.join(layers)}")
    for warning in sorted({caution(each) for each in layers} - {""}):
        console.print(f"Warning: {warning}", markup=False)
    console.print(f"Marks: {course.gradebook_name}", markup=False)
    console.print(f"Feedback pages: {shortest(course.feedback_folder)}", markup=False)
    if report:
        console.print(f"Report: {shortest(report)}", markup=False)
