"""Assignments through the engine: the solution has all points, an empty notebook none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import Any

import pytest

from rnncourse._exercise import exercises
from rnncourse.grading.sandbox.launch import obstacle
from tests.strength import chapters
from tools.demonstration.learners import ROOT

NO_SANDBOX = obstacle()
pytestmark = [
    pytest.mark.skipif(NO_SANDBOX is not None, reason=str(NO_SANDBOX)),
    pytest.mark.long,
]

NAMES = [entry.name for entry in exercises().values() if entry.chapter in chapters()]
ROOMS = {"solved": "solutions", "empty": "exercises"}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """One run over assignments, in which one learner hands in the solutions, one the notebooks
    as they were released."""
    course = tmp_path_factory.mktemp("class")
    for student, room in ROOMS.items():
        for chapter in chapters():
            folder = course / "submitted" / student / chapter
            folder.mkdir(parents=True)
            shutil.copy(ROOT / room / chapter / f"{chapter}.ipynb", folder)
    file = course / "report.json"
    command = [sys.executable, "-m", "rnncourse", "grade", "--workers", "1"]
    command += ["--course", str(course), "--report", str(file)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
    return found


def test_every_exercise_is_graded_for_both(report: list[dict[str, Any]]) -> None:
    graded = {(row["student"], row["exercise"]) for row in report}
    assert graded == {(student, name) for student in ROOMS for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_solution_has_all_points_and_nobody_needs_to_look(
    report: list[dict[str, Any]], name: str
) -> None:
    (row,) = (r for r in report if (r["student"], r["exercise"]) == ("solved", name))
    assert row["verdict"] == "passed", row["message"]
    assert row["points"] == row["max_points"] > 0
    assert row["mistake"] is None and row["flags"] == []


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_notebook_has_none_and_is_called_unfilled(
    report: list[dict[str, Any]], name: str
) -> None:
    (row,) = (r for r in report if (r["student"], r["exercise"]) == ("empty", name))
    assert (row["verdict"], row["points"], row["flags"]) == ("unfilled", 0, [])
