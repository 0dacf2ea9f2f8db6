"""An assignment's cells in nbgrader's gradebook, as nbgrader's generate_assignment puts them there.

nbgrader refuses to add or remove a cell once somebody has handed in. Here a new cell gets its rows
for everybody, and a cell that is gone takes its automatic marks with it, but no person's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Course,
    Grade,
    GradeCell,
    Notebook,
    SolutionCell,
    SourceCell,
    SubmittedNotebook,
    TaskCell,
    new_uuid,
)
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import SaveCells
from sqlalchemy import Connection, delete, insert, or_, select, update

from ..._errors import CourseError
from .database import upsert

ASSIGNMENT, COURSE, NOTEBOOK = Assignment.__table__, Course.__table__, Notebook.__table__
CELL, SOURCE = BaseCell.__table__, SourceCell.__table__
GRADE, COMMENT, HANDED_IN = Grade.__table__, Comment.__table__, SubmittedNotebook.__table__
KINDS = {kind.__name__: kind.__table__ for kind in (GradeCell, SolutionCell, TaskCell)}
GRADED = ("GradeCell", "TaskCell")
"""Kinds of cells that have a grade."""
COMMENTED = ("SolutionCell", "TaskCell")
"""Kinds of cells that have a comment."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Cells:
    """A notebook as nbgrader keeps it.

    Attributes:
        kernelspec: JSON.
        kinds: what is graded or answered, by kind and name, with its points if it has any.
        sources: the cells that nbgrader can restore, by name.
    """

    name: str
    kernelspec: str
    kinds: dict[tuple[str, str], Row] = field(default_factory=dict)
    sources: dict[str, Row] = field(default_factory=dict)


def as_released(path: Path) -> Cells:
    """The cells of an instructor's notebook, after nbgrader has prepared it for learners.

    Raises:
        CourseError: nbgrader cannot.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
        resources: dict[str, Any] = {"nbgrader": {"notebook": path.stem}}
        every = GenerateAssignment(coursedir=CourseDirectory()).preprocessors
        for preprocessor in takewhile(lambda p: p is not SaveCells, every):
            notebook, resources = preprocessor().preprocess(notebook, resources)
    except Exception as error:
        raise CourseError(f"{path} cannot be graded: {error}") from error
    cells = Cells(path.stem, json.dumps(notebook.metadata.get("kernelspec", {})))
    for cell in notebook.cells:
        _add(cells, cell)
    return cells


def register(
    connection: Connection, course_id: str, assignment: str, notebooks: Iterable[Cells]
) -> None:
    """Let a gradebook hold exactly these notebooks of an assignment; others stay as they are.

    Raises:
        CourseError: a cell is gone for which a person has given marks or comments.
    """
    connection.execute(upsert(connection, COURSE).values(id=course_id).on_conflict_do_nothing())
    values = {"name": assignment, "course_id": course_id}
    connection.execute(upsert(connection, ASSIGNMENT).values(values).on_conflict_do_nothing())
    # Two that register at the same moment do it one after the other.
    found = select(ASSIGNMENT.c.id).where(ASSIGNMENT.c.name == assignment).with_for_update()
    assignment_id = connection.execute(found).scalar_one()
    for cells in notebooks:
        notebook_id = _notebook(connection, assignment_id, cells)
        _kinds(connection, notebook_id, cells)
        _sources(connection, notebook_id, cells)


def _add(cells: Cells, cell: Any) -> None:
    """Take over what nbgrader's SaveCells keeps of a cell."""
    grade, solution, task = utils.is_grade(cell), utils.is_solution(cell), utils.is_task(cell)
    if not (grade or solution or task or utils.is_locked(cell)):
        return
    metadata = cell.metadata.nbgrader
    name = metadata["grade_id"]
    if grade or task:
        worth = {"max_score": float(metadata["points"]), "cell_type": cell.cell_type}
    if grade:
        cells.kinds["GradeCell", name] = worth
    if solution:
        cells.kinds["SolutionCell", name] = {}
    if task:
        cells.kinds["TaskCell", name] = worth
    cells.sources[name] = {
        "cell_type": cell.cell_type,
        "locked": utils.is_locked(cell),
        "source": cell.source,
        "checksum": metadata.get("checksum"),
    }


def _notebook(connection: Connection, assignment_id: str, cells: Cells) -> str:
    its = (NOTEBOOK.c.assignment_id == assignment_id) & (NOTEBOOK.c.name == cells.name)
    values = {"assignment_id": assignment_id, "name": cells.name, "kernelspec": cells.kernelspec}
    row = connection.execute(select(NOTEBOOK).where(its)).one_or_none()
    if row is None:
        connection.execute(insert(NOTEBOOK).values(values))
    elif row.kernelspec != cells.kernelspec:
        connection.execute(update(NOTEBOOK).where(its).values(values))
    return str(connection.execute(select(NOTEBOOK.c.id).where(its)).scalar_one())


def _sources(connection: Connection, notebook_id: str, cells: Cells) -> None:
    rows = connection.execute(select(SOURCE).where(SOURCE.c.notebook_id == notebook_id)).mappings()
    known = {row["name"]: row for row in rows}
    for name, values in cells.sources.items():
        if name not in known:
            row = {"notebook_id": notebook_id, "name": name, **values}
            connection.execute(insert(SOURCE).values(row))
        elif values != {key: known[name][key] for key in values}:
            its = SOURCE.c.id == known[name]["id"]
            connection.execute(update(SOURCE).where(its).values(values))
    gone = [row["id"] for name, row in known.items() if name not in cells.sources]
    connection.execute(delete(SOURCE).where(SOURCE.c.id.in_(gone)))


def _kinds(connection: Connection, notebook_id: str, cells: Cells) -> None:
    known: dict[tuple[str, str], Row] = {}
    for kind, table in KINDS.items():
        both = select(CELL.c.name, *table.c).join(table, table.c.id == CELL.c.id)
        rows = connection.execute(both.where(CELL.c.notebook_id == notebook_id)).mappings()
        known |= {(kind, row["name"]): dict(row) for row in rows}
    for (kind, name), worth in cells.kinds.items():
        row = known.pop((kind, name), None)
        if row is None:
            cell_id = new_uuid()
            cell = {"id": cell_id, "notebook_id": notebook_id, "name": name, "type": kind}
            connection.execute(insert(CELL).values(cell))
            connection.execute(insert(KINDS[kind]).values(id=cell_id, **worth))
            _rows_for_everybody(connection, notebook_id, kind, cell_id)
        elif worth != {key: row[key] for key in worth}:
            its = KINDS[kind].c.id == row["id"]
            connection.execute(update(KINDS[kind]).where(its).values(worth))
    for (kind, name), row in known.items():
        _forget(connection, kind, name, row["id"])


def _rows_for_everybody(connection: Connection, notebook_id: str, kind: str, cell_id: str) -> None:
    """Whoever handed in before a cell was there has to get what nbgrader reads of it."""
    handed_in = select(HANDED_IN.c.id).where(HANDED_IN.c.notebook_id == notebook_id)
    rows = [
        {"notebook_id": one, "cell_id": cell_id} for one in connection.execute(handed_in).scalars()
    ]
    if rows and kind in GRADED:
        connection.execute(insert(GRADE), rows)
    if rows and kind in COMMENTED:
        connection.execute(insert(COMMENT), rows)


def _forget(connection: Connection, kind: str, name: str, cell_id: str) -> None:
    """Remove a cell with what was given for it automatically.

    Raises:
        CourseError: a person has given something for it.
    """
    given = (GRADE.c.manual_score.is_not(None), GRADE.c.extra_credit.is_not(None))
    marks = select(GRADE.c.id).where(GRADE.c.cell_id == cell_id, or_(*given))
    said = COMMENT.c.manual_comment.is_not(None)
    comments = select(COMMENT.c.id).where(COMMENT.c.cell_id == cell_id, said)
    by_hand = connection.execute(marks).first() or connection.execute(comments).first()
    if by_hand:
        raise CourseError(
            f"the cell {name} is no longer in the instructor's notebook, but somebody has marks or "
            "comments for it that a person gave: put it back, or remove those in formgrader first."
        )
    connection.execute(delete(GRADE).where(GRADE.c.cell_id == cell_id))
    connection.execute(delete(COMMENT).where(COMMENT.c.cell_id == cell_id))
    connection.execute(delete(KINDS[kind]).where(KINDS[kind].c.id == cell_id))
    connection.execute(delete(CELL).where(CELL.c.id == cell_id))
