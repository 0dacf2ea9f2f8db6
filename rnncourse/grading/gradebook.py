"""One record into nbgrader's gradebook and beside it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import warnings
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from sqlalchemy.exc import SAWarning

from ..checks.report import html, text
from ..errors import CourseError
from ..notebook import grade_id, nbgrader_metadata
from .course import Checkout, Course
from .feedback import page
from .files import write
from .grade import CHECK
from .record import Record, to_json
from .release import convert
from .submission import Submission


def register(checkout: Checkout, course: Course, assignment: str, scratch: Path) -> None:
    """Put an assignment with its cells and points into the course's gradebook, as releasing it with
    nbgrader does."""
    _require_gradebook(course)
    convert(checkout.root, assignment, scratch, course.gradebook)


def _require_gradebook(course: Course) -> None:
    """Say so now if the gradebook is there and cannot be written to.

    Raises:
        CourseError: it is broken, locked or read-only.
    """
    path = course.root / "gradebook.db"
    if not path.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=10)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
    except sqlite3.Error as error:
        raise CourseError(f"{path} cannot be used: {error}.") from error


def commit(record: Record, submission: Submission, source: dict[str, Any], course: Course) -> None:
    """Keep a record: its page and notebook first, its marks last, so that a mark without a page
    cannot be."""
    where = record.student, record.assignment
    write(course.feedback(*where), page(record))
    if submission.notebook is not None:
        notebook = _autograded(record, submission.notebook, source)
        write(course.autograded(*where), json.dumps(notebook, indent=1) + "\n")
    write(course.records(record.assignment) / f"{record.student}.json", to_json(record))
    with Gradebook(course.gradebook) as gradebook:
        _save_marks(record, gradebook)


def _save_marks(record: Record, gradebook: Any) -> None:
    gradebook.update_or_create_student(record.student)
    with warnings.catch_warnings():
        # nbgrader adds the rows of a new submission one by one and to the session at the end;
        # SQLAlchemy notes each of them.
        warnings.simplefilter("ignore", SAWarning)
        gradebook.update_or_create_submission(record.assignment, record.student)
    for e in record.exercises:
        grade = gradebook.find_grade(
            CHECK + e.exercise, record.assignment, record.assignment, record.student
        )
        grade.auto_score = e.points
        grade.needs_manual_grade = e.points is None or grade.manual_score is not None
        comment = gradebook.find_comment(
            e.exercise, record.assignment, record.assignment, record.student
        )
        comment.auto_comment = e.message
    gradebook.db.commit()


def _autograded(record: Record, notebook: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    """The submitted notebook as formgrader shows it: given cells as the instructor wrote them, and
    under each check the report of its exercise."""
    locked = (cell for cell in source["cells"] if nbgrader_metadata(cell).get("locked"))
    given = {grade_id(cell): cell for cell in locked}
    reports = {CHECK + e.exercise: e for e in record.exercises}
    cells = []
    for cell in notebook["cells"]:
        name = grade_id(cell)
        cell = dict(given.get(name, cell))
        if cell.get("cell_type") == "code":
            cell |= {"outputs": [], "execution_count": None}
        if name in reports and (report := reports[name].report):
            data = {"text/plain": text(report, hidden=True), "text/html": html(report, hidden=True)}
            cell["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]
        cells.append(cell)
    return notebook | {"cells": cells}
