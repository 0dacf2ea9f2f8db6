"""nbgrader's gradebook: one transaction a submission. What people have entered stays as it is."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from sqlalchemy import Connection, Engine, RowMapping, Select, inspect

from ..._errors import CourseError
from ..checkout import Checkout
from ..course import Course
from ..files import claim
from ..gradebook_url import shown
from ..record import ByHand, ExerciseRecord, Record
from ..submissions.source import CHECK
from .database import connect, telling
from .late import LatePenalties
from .register import as_released, register
from .rows import Cells, Statements
from .schema import making_tables

MAX_COMMENT = 2000
"""Characters of a comment that are kept."""


class Book:
    """An assignment in a course's gradebook."""

    def __init__(
        self,
        course: Course,
        assignment: str,
        engine: Engine,
        cells: Cells,
        statements: Statements,
        late: LatePenalties,
    ) -> None:
        self._url, self._assignment, self._engine = course.url, assignment, engine
        self._cells, self._say, self._late = cells, statements, late

    @classmethod
    def open(cls, course: Course, checkout: Checkout, assignment: str) -> Book:
        """Open a course's gradebook; one that is not there is made. An assignment that is not in
        it, or has changed, is registered.

        Raises:
            CourseError: the gradebook, the instructor's notebook or the plugin for late penalties
                cannot be used.
        """
        notebooks = [as_released(path) for path in checkout.notebooks(assignment)]
        late = LatePenalties(course.config, course.root)
        engine = connect(course.url)
        with telling(course.url):
            _make_tables(course, engine)
            with engine.begin() as connection:
                register(connection, course.course_id, assignment, notebooks)
                cells = Cells.load(connection, assignment)
                statements = Statements(connection, cells)
        return cls(course, assignment, engine, cells, statements, late)

    def close(self) -> None:
        """Close its connections to a server; a file is never left open."""
        self._engine.dispose()

    def commit(self, record: Record, timestamp: datetime | None = None) -> ByHand:
        """Keep the marks of a record, all or none of them.

        Args:
            timestamp: when it was handed in, in UTC without a time zone; None if that is not known:
                then a time that the gradebook has stays.

        Returns:
            What people have entered for this learner, and the penalty for handing in late.

        Raises:
            CourseError: nothing could be kept; or the marks are, but not the penalty.
        """
        student = record.student
        failed: CourseError | None = None
        with telling(self._url), self._engine.begin() as connection:
            self._require_cells(connection, record)
            submission = self._hand_in(connection, student, timestamp)
            notebooks = self._hand_in_notebooks(connection, submission["id"])
            self._save_marks(connection, notebooks, record)
            self._save_comments(connection, notebooks, record)
            try:
                self._save_penalties(connection, submission, notebooks)
            except CourseError as error:
                failed = error
            by_hand = self._by_hand(connection, self._say.ones, student)
        if failed:
            raise failed
        return by_hand.get(student, ByHand())

    def by_hand(self, student: str) -> ByHand:
        """What people have entered for a learner, and the penalty for handing in late."""
        with telling(self._url), self._engine.begin() as connection:
            return self._by_hand(connection, self._say.ones, student).get(student, ByHand())

    def everyone(self) -> dict[str, ByHand]:
        """What people have entered, and penalties, of the learners who have any."""
        with telling(self._url), self._engine.begin() as connection:
            return self._by_hand(connection, self._say.everyones)

    def scores(self) -> dict[str, dict[str, float | None]]:
        """The automatic marks by learner and exercise."""
        found: dict[str, dict[str, float | None]] = defaultdict(dict)
        with telling(self._url), self._engine.begin() as connection:
            for student, cell, score in connection.execute(self._say.scores):
                found[student][self._cells.names[cell]] = score
        return dict(found)

    def _require_cells(self, connection: Connection, record: Record) -> None:
        missing = [e.exercise for e in record.exercises if e.exercise not in self._cells.exercises]
        if missing:
            raise CourseError(f"the instructor's notebook has no cell {CHECK}{missing[0]}.")
        if connection.execute(self._say.cells_there).scalar_one() != len(self._cells.names):
            raise CourseError(
                f"{self._assignment} was registered anew in the gradebook meanwhile: run the "
                "command again."
            )

    def _hand_in(
        self, connection: Connection, student: str, timestamp: datetime | None
    ) -> RowMapping:
        connection.execute(self._say.student, {"id": student})
        ids = {"assignment_id": self._cells.assignment, "student_id": student}
        connection.execute(self._say.submission, {**ids, "timestamp": timestamp})
        return connection.execute(self._say.submitted, {"student": student}).mappings().one()

    def _hand_in_notebooks(self, connection: Connection, submission: str) -> dict[str, str]:
        """The ids of the submitted notebooks, by notebook."""
        rows = [{"notebook_id": n, "assignment_id": submission} for n in self._cells.notebooks]
        connection.execute(self._say.notebook, rows)
        found = connection.execute(self._say.notebooks, {"submission": submission})
        return {row.notebook_id: row.id for row in found}

    def _save_marks(
        self, connection: Connection, notebooks: Mapping[str, str], record: Record
    ) -> None:
        points = {self._cells.exercises[e.exercise]: e.points for e in record.exercises}
        ours, others = _rows(self._cells.graded, notebooks, points)
        for row in ours:
            row["auto_score"] = points[row["cell_id"]]
            row["needs_manual_grade"] = row["auto_score"] is None
        connection.execute(self._say.mark, ours)
        if others:
            connection.execute(self._say.no_mark, others)

    def _save_comments(
        self, connection: Connection, notebooks: Mapping[str, str], record: Record
    ) -> None:
        texts = {
            self._cells.answers[e.exercise]: _comment(e, () if index else record.repairs)
            for index, e in enumerate(record.exercises)
            if e.exercise in self._cells.answers
        }
        ours, others = _rows(self._cells.commented, notebooks, texts)
        for row in ours:
            row["auto_comment"] = texts[row["cell_id"]]
        if ours:
            connection.execute(self._say.comment, ours)
        if others:
            connection.execute(self._say.no_comment, others)

    def _save_penalties(
        self, connection: Connection, submission: RowMapping, notebooks: Mapping[str, str]
    ) -> None:
        """Take off each notebook what being late costs.

        Raises:
            CourseError: the plugin failed; penalties stay as they were.
        """
        seconds = _seconds_late(submission)
        penalties = []
        for notebook, its_id in notebooks.items():
            cells = [cell for cell, where in self._cells.graded.items() if where == notebook]
            its = {"cells": cells, "notebook": its_id}
            score = connection.execute(self._say.score, its).scalar_one() if seconds else 0.0
            points = self._late.penalty(submission["student_id"], float(score), seconds)
            penalties.append({"notebook": its_id, "points": points})
        connection.execute(self._say.penalty, penalties)

    def _by_hand(
        self,
        connection: Connection,
        queries: tuple[Select[Any], ...],
        student: str | None = None,
    ) -> dict[str, ByHand]:
        whom = {} if student is None else {"student": student}
        scores: dict[str, dict[str, float]] = defaultdict(dict)
        extra: dict[str, dict[str, float]] = defaultdict(dict)
        comments: dict[str, dict[str, str]] = defaultdict(dict)
        penalties: dict[str, float] = defaultdict(float)
        marks, remarks, late = (connection.execute(query, whom) for query in queries)
        for who, cell, score, more in marks:
            if score is not None:
                scores[who][self._cells.names[cell]] = score
            if more:
                extra[who][self._cells.names[cell]] = more
        for who, cell, remark in remarks:
            if remark:
                comments[who][self._cells.names[cell]] = remark
        for who, points in late:
            penalties[who] += points
        return {
            who: ByHand(scores[who], extra[who], comments[who], penalties[who])
            for who in {*scores, *extra, *comments, *penalties}
        }


def _make_tables(course: Course, engine: Engine) -> None:
    """nbgrader's tables, if there are none. A file is made whole beside its place, so that nobody
    finds half of it."""
    file = Path(str(course.url.database))
    with making_tables():
        if course.url.get_backend_name() == "sqlite" and not file.exists():
            if not file.parent.is_dir():
                raise CourseError(f"there is no folder {file.parent} for {shown(course.url)}.")
            with tempfile.TemporaryDirectory(dir=file.parent, prefix=".gradebook.") as scratch:
                finished = Path(scratch) / file.name
                Gradebook(f"sqlite:///{finished}", course.course_id).close()
                claim(finished, file)
        elif not inspect(engine).get_table_names():
            Gradebook(course.gradebook, course.course_id).close()


def _rows(
    cells: Mapping[str, str], notebooks: Mapping[str, str], wanted: Mapping[str, object]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A row for each cell of a submission: of the wanted cells, and of the others."""
    rows = [{"cell_id": cell, "notebook_id": notebooks[its]} for cell, its in cells.items()]
    ours = [row for row in rows if row["cell_id"] in wanted]
    return ours, [row for row in rows if row["cell_id"] not in wanted]


def _comment(exercise: ExerciseRecord, repairs: Iterable[str]) -> str:
    """What formgrader shows beside an answer, in characters that every database takes."""
    text = " ".join(part for part in (exercise.message, exercise.note, *repairs) if part)
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:MAX_COMMENT]


def _seconds_late(submission: RowMapping) -> float:
    """As nbgrader counts them."""
    timestamp, duedate = submission["timestamp"], submission["duedate"]
    if timestamp is None or duedate is None:
        return 0.0
    late: timedelta = timestamp - duedate - (submission["extension"] or timedelta())
    return max(0.0, late.total_seconds())
