"""What is asked of nbgrader's tables and told them: statements that are written once for an
assignment and executed for every submission.

Marks and comments are looked up by cell and notebook, as nbgrader's tables are indexed: that takes
as long in a large class as in a small one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nbgrader.api import Grade, Student, SubmittedAssignment
from sqlalchemy import Connection, Select, bindparam, func, or_, select, update

from ..submissions.source import CHECK
from .database import upsert
from .register import ASSIGNMENT, CELL, COMMENT, COMMENTED, GRADE, GRADED, HANDED_IN, NOTEBOOK

STUDENT, SUBMISSION = Student.__table__, SubmittedAssignment.__table__


@dataclass(frozen=True)
class Cells:
    """The cells of an assignment that have a mark or a comment, by their ids in the gradebook.

    Attributes:
        assignment: the id of the assignment.
        notebooks: the ids of its notebooks.
        graded: cells with a mark; for each the id of its notebook.
        commented: the same for cells with a comment.
        exercises: the graded cells of the course's own exercises, by exercise.
        answers: commented cells by name; an answer has the name of its exercise.
        names: names of all; a check has the name of its exercise.
    """

    assignment: str
    notebooks: tuple[str, ...]
    graded: dict[str, str]
    commented: dict[str, str]
    exercises: dict[str, str]
    answers: dict[str, str]
    names: dict[str, str]

    @staticmethod
    def load(connection: Connection, assignment: str) -> Cells:
        """The cells of a registered assignment."""
        found = select(ASSIGNMENT.c.id).where(ASSIGNMENT.c.name == assignment)
        assignment_id = connection.execute(found).scalar_one()
        notebooks = select(NOTEBOOK.c.id, NOTEBOOK.c.name)
        notebooks = notebooks.where(NOTEBOOK.c.assignment_id == assignment_id)
        files = {row.id: row.name for row in connection.execute(notebooks)}
        cells = connection.execute(select(CELL).where(CELL.c.notebook_id.in_(list(files)))).all()
        graded = [cell for cell in cells if cell.type in GRADED]
        commented = [cell for cell in cells if cell.type in COMMENTED]
        own = {cell.id for cell in cells if files[cell.notebook_id] == assignment}
        checks = [cell for cell in graded if cell.id in own and cell.name.startswith(CHECK)]
        return Cells(
            assignment=assignment_id,
            notebooks=tuple(files),
            graded={cell.id: cell.notebook_id for cell in graded},
            commented={cell.id: cell.notebook_id for cell in commented},
            exercises={cell.name.removeprefix(CHECK): cell.id for cell in checks},
            answers={cell.name: cell.id for cell in commented if cell.id in own},
            names={cell.id: cell.name.removeprefix(CHECK) for cell in cells},
        )


class Statements:
    """Statements for one assignment in the database of a connection.

    Attributes:
        cells_there: how many of the cells are still in the gradebook.
        student, submission, notebook: make a row if it is not there; what is there stays.
        submitted: a learner's submission, with what makes it late.
        notebooks: its notebooks.
        mark, comment: write what was found automatically; what people entered stays.
        no_mark, no_comment: make an empty row if none is there.
        score: of some cells of a notebook: a person's mark, else the automatic one.
        penalty: writes it.
        scores: everybody's automatic marks.
        everyones, ones: what people entered, for everybody and for one learner.
    """

    def __init__(self, connection: Connection, cells: Cells) -> None:
        self._cells = cells
        self.cells_there = select(func.count()).where(CELL.c.id.in_(list(cells.names)))
        self.student = upsert(connection, STUDENT).on_conflict_do_nothing()
        new = upsert(connection, SUBMISSION)
        latest = func.coalesce(new.excluded.timestamp, SUBMISSION.c.timestamp)
        self.submission = new.on_conflict_do_update(
            index_elements=["assignment_id", "student_id"], set_={"timestamp": latest}
        )
        self.submitted = (
            select(SUBMISSION, ASSIGNMENT.c.duedate)
            .join(ASSIGNMENT, ASSIGNMENT.c.id == SUBMISSION.c.assignment_id)
            .where(SUBMISSION.c.assignment_id == cells.assignment)
            .where(SUBMISSION.c.student_id == bindparam("student"))
        )
        self.notebook = upsert(connection, HANDED_IN).on_conflict_do_nothing()
        self.notebooks = (
            select(HANDED_IN.c.notebook_id, HANDED_IN.c.id)
            .where(HANDED_IN.c.notebook_id.in_(cells.notebooks))
            .where(HANDED_IN.c.assignment_id == bindparam("submission"))
        )
        new = upsert(connection, GRADE)
        automatic, place = new.excluded.auto_score, ["cell_id", "notebook_id"]
        # As nbgrader has it, a person's mark waits for review when the automatic one is new.
        review = or_(automatic.is_(None), GRADE.c.manual_score.is_not(None))
        changes = {"auto_score": automatic, "needs_manual_grade": review}
        self.mark = new.on_conflict_do_update(index_elements=place, set_=changes)
        self.no_mark = new.on_conflict_do_nothing()
        new = upsert(connection, COMMENT)
        changes = {"auto_comment": new.excluded.auto_comment}
        self.comment = new.on_conflict_do_update(index_elements=place, set_=changes)
        self.no_comment = new.on_conflict_do_nothing()
        self.score = (
            select(func.coalesce(func.sum(Grade.score), 0.0))
            .where(GRADE.c.cell_id.in_(bindparam("cells", expanding=True)))
            .where(GRADE.c.notebook_id == bindparam("notebook"))
        )
        self.penalty = (
            update(HANDED_IN)
            .where(HANDED_IN.c.id == bindparam("notebook"))
            .values(late_submission_penalty=bindparam("points"))
        )
        self.scores = self._of(GRADE, cells.exercises.values()).add_columns(GRADE.c.auto_score)
        self.everyones = self._by_hand()
        self.ones = tuple(
            query.where(SUBMISSION.c.student_id == bindparam("student")) for query in self.everyones
        )

    def _by_hand(self) -> tuple[Select[Any], Select[Any], Select[Any]]:
        """Marks with extra credit, comments, and penalties."""
        given = (GRADE.c.manual_score, GRADE.c.extra_credit)
        marks = self._of(GRADE, self._cells.graded).add_columns(*given)
        said = COMMENT.c.manual_comment
        comments = self._of(COMMENT, self._cells.commented).add_columns(said)
        points = HANDED_IN.c.late_submission_penalty
        return (
            marks.where(or_(*(column.is_not(None) for column in given))),
            comments.where(said.is_not(None)),
            self._handed_in().add_columns(points).where(points > 0),
        )

    def _of(self, table: Any, cells: Iterable[str]) -> Select[Any]:
        """Everybody's rows of a table for some cells."""
        joined = self._handed_in().join(table, table.c.notebook_id == HANDED_IN.c.id)
        return joined.add_columns(table.c.cell_id).where(table.c.cell_id.in_(list(cells)))

    def _handed_in(self) -> Select[Any]:
        """Everybody's notebooks."""
        return (
            select(SUBMISSION.c.student_id)
            .join(HANDED_IN, HANDED_IN.c.assignment_id == SUBMISSION.c.id)
            .where(SUBMISSION.c.assignment_id == self._cells.assignment)
            .where(HANDED_IN.c.notebook_id.in_(self._cells.notebooks))
        )
