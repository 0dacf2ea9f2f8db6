"""A small assignment with every kind of cell that nbgrader knows, for tests of the gradebook."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rnncourse.grading.checkout import Checkout
from rnncourse.grading.record import ExerciseRecord, Record

NAME = "mixed"
WORTH = {"double": 3.0, "halve": 2.0}


def write_mixed(
    root: Path, worth: Mapping[str, float] = WORTH, essay: bool = True, note: str = "Read this."
) -> Checkout:
    """A checkout with one assignment: exercises, and an essay and a task that people mark."""
    cells = [_cell("markdown", note, grade_id="note", locked=True)]
    for name, points in worth.items():
        solved = f"def {name}(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n"
        cells.append(_cell("code", solved, grade_id=name, solution=True))
        test = f"check({name})\n### BEGIN HIDDEN TESTS\nassert False\n### END HIDDEN TESTS\n"
        cells.append(_cell("code", test, grade_id=f"check_{name}", grade=True, points=points))
    if essay:
        more: dict[str, Any] = {"grade": True, "solution": True, "points": 5}
        cells.append(_cell("markdown", "Your answer.", grade_id="essay", **more))
        cells.append(_cell("markdown", "Draw.", grade_id="task", task=True, points=4, locked=True))
    folder = root / "solutions" / NAME
    _write(folder / f"{NAME}.ipynb", cells)
    more = {"grade": True, "solution": True, "points": 1}
    _write(folder / "survey.ipynb", [_cell("markdown", "And?", grade_id="opinion", **more)])
    _write(folder / "background.ipynb", [_cell("markdown", "Nothing to do.", grade_id="")])
    return Checkout(root)


def record(
    student: str,
    points: Mapping[str, float | None],
    message: str = "All hidden tests passed.",
    repairs: Iterable[str] = (),
) -> Record:
    """What a learner's submission came to."""
    exercises = tuple(
        ExerciseRecord(name, score, WORTH.get(name, 1.0), "passed", message)
        for name, score in points.items()
    )
    return Record(student, NAME, exercises, "none", repairs=tuple(repairs))


def _cell(cell_type: str, source: str, **nbgrader: Any) -> dict[str, Any]:
    defaults = {"schema_version": 3, "grade": False, "solution": False, "locked": False}
    kept = {"nbgrader": {**defaults, "task": False, **nbgrader}}
    metadata = kept if nbgrader["grade_id"] else {}
    code = {"outputs": [], "execution_count": None} if cell_type == "code" else {}
    return {"cell_type": cell_type, "source": source, "metadata": metadata, **code}


def _write(path: Path, cells: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}}
    path.write_text(json.dumps(content | {"nbformat": 4, "nbformat_minor": 4}), encoding="utf-8")
