"""The notebook that formgrader shows: the learner's answers, and under each check its report."""

from __future__ import annotations

from typing import Any

from ..._notebook import GIVEN, grade_id
from ...checks.display import html, text
from ..kernel import metadata_with_missing_kernel
from ..record import ExerciseRecord, Record

CHECK = GIVEN[0]


def autograded(record: Record, notebook: dict[str, Any]) -> dict[str, Any]:
    """A rebuilt notebook with the reports of a record as the outputs of its check cells.

    Where a submission was refused, the notebook as it was released, and why: without a notebook a
    person could not give marks in formgrader.
    """
    exercises = {CHECK + e.exercise: e for e in record.exercises}
    cells = []
    for cell in notebook["cells"]:
        exercise = exercises.get(grade_id(cell))
        cells.append(cell | {"outputs": [_shown(exercise)]} if exercise else cell)
    metadata = metadata_with_missing_kernel(notebook["metadata"])
    return notebook | {"cells": cells, "metadata": metadata}


def _shown(exercise: ExerciseRecord) -> dict[str, Any]:
    data = {"text/plain": exercise.message}
    if report := exercise.report:
        data = {"text/plain": text(report, hidden=True), "text/html": html(report, hidden=True)}
    return {"output_type": "display_data", "data": data, "metadata": {}}
