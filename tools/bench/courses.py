"""Course folders for the same class: one for plain nbgrader, one for this grader."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from rnncourse._notebook import grade_id, source
from rnncourse.grading.course import Course
from rnncourse.grading.files import write
from rnncourse.grading.hidden_test import HiddenTest
from tools.bench.learners import Learner, submission
from tools.demonstration.learners import ASSIGNMENT, ROOT

PROGRAMS = Path(sys.executable).parent

TESTS = """\
# Your function is called with other numbers here.
### BEGIN HIDDEN TESTS
import torch
from rnncourse.checks.plan import cases_of, plan_of
from rnncourse.checks.judge import judge
from rnncourse._exercise import fill_forgotten, find

fill_forgotten(globals())
stages, expected, shares = torch.load("{exercise}.pt", weights_only=False)
entry = find("{exercise}")
plan = plan_of(entry.name)
report = judge(plan, stages, expected, plan.run(entry.stub, cases_of(stages)), mistakes=())
passed = [stage.name for stage in report.stages if stage.status == "passed"]
0.0 if report.unfilled else round({points} * sum(shares.get(name, 0) for name in passed), 4)
### END HIDDEN TESTS
"""
"""A check cell for plain nbgrader: this grader's calls and comparisons, which find the function in
the notebook itself, and a part of the points as the value of the cell. It has no public check in
front, which would stop the cell at the first thing that is wrong."""

Marks = dict[tuple[str, str], float]
"""The points of a learner's exercise."""


@dataclass(frozen=True)
class Command:
    """What is started, and where."""

    arguments: tuple[str, ...]
    folder: Path
    environment: dict[str, str]


class PlainCourse:
    """A course folder of nbgrader as it comes, with no configuration."""

    def __init__(self, root: Path) -> None:
        self.root = root
        settings = {
            "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
            "JUPYTER_CONFIG_DIR": str(root / "jupyter"),  # nobody's own settings
            "JUPYTER_RUNTIME_DIR": str(root / "jupyter"),
            "IPYTHONDIR": str(root / "ipython"),
        }
        self._environment = os.environ | settings

    def write_source(self, hidden_tests: Sequence[HiddenTest], whole: bool) -> None:
        """The instructor's notebook, and a file with each exercise's inputs and right results.

        Args:
            whole: keep the cells that only demonstrate something. nbgrader runs every cell; this
                grader leaves these out, since no mark depends on them.
        """
        folder = self.root / "source" / ASSIGNMENT
        folder.mkdir(parents=True)
        for hidden_test in hidden_tests:
            hidden = (
                hidden_test.hidden.stages,
                hidden_test.hidden.expected,
                hidden_test.shares,
            )
            torch.save(hidden, folder / f"{hidden_test.plan.exercise}.pt")
        notebook = _notebook(ROOT / "solutions" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
        cells = [
            _with_tests(cell)
            for cell in notebook["cells"]
            if whole or not grade_id(cell).startswith("demo_")
        ]
        path = folder / f"{ASSIGNMENT}.ipynb"
        path.write_text(json.dumps(notebook | {"cells": cells}), encoding="utf-8")

    def hand_in(self, learners: Iterable[Learner]) -> None:
        """Put submissions, made from the released notebook, where nbgrader looks for them."""
        released = _notebook(self.root / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
        _hand_in(self.root, learners, released)

    def copy_for(self, learners: Iterable[Learner], name: str) -> PlainCourse:
        """The same course with other learners, in a folder beside this one."""
        other = PlainCourse(self.root.with_name(name))
        for part in ("source", "release"):
            shutil.copytree(self.root / part, other.root / part)
        shutil.copy(self.root / "gradebook.db", other.root)
        other.hand_in(learners)
        return other

    def command(self, step: str) -> Command:
        """`nbgrader` with one of its steps, such as "autograde"."""
        timeout = "--ExecutePreprocessor.iopub_timeout=600"  # its own 4 s fail on a busy machine
        arguments = str(PROGRAMS / "nbgrader"), step, ASSIGNMENT, timeout
        return Command(arguments, self.root, self._environment)

    def reason(self, student: str, exercise: str) -> str:
        """Why nbgrader gave nothing for an exercise; "" if its notebook does not say."""
        path = self.root / "autograded" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        cells = {grade_id(cell): cell for cell in _notebook(path)["cells"]}
        for output in cells[f"check_{exercise}"]["outputs"]:
            if output.get("name") == "stderr":
                line = next(s for s in source({"source": output["text"]}).splitlines() if s)
                return (
                    f"nbgrader gives 0 for a warning on stderr: {line.partition(': ')[2][:60]}..."
                )
            if output["output_type"] == "error":
                return f"{output['ename']} in nbgrader's cell: {output['evalue']}"
        return ""


class EngineCourse:
    """A course folder for `rnncourse grade`."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self._seed = seed

    def hand_in(self, learners: Iterable[Learner]) -> None:
        """Put submissions where the grader looks for them, and let it use the seed."""
        _hand_in(self.root, learners, released())
        write(self.root / "records" / f"{ASSIGNMENT}.seed.json", json.dumps({"seed": self._seed}))
        if Course.open(self.root).seed(ASSIGNMENT) != self._seed:
            raise ValueError("this grader keeps its seed elsewhere now")

    def command(self, workers: int, sandboxed: bool) -> Command:
        """What grades the class."""
        arguments = [sys.executable, "-m", "rnncourse", "grade", ASSIGNMENT]
        arguments += ["--course", str(self.root), "--specs", str(ROOT)]
        arguments += [] if sandboxed else ["--no-sandbox"]
        return Command(tuple(arguments), ROOT, dict(os.environ))

    def done(self) -> int:
        """How many submissions are graded: those with a record, which is written last."""
        return sum(1 for _ in (self.root / "records" / ASSIGNMENT).glob("*.json"))


def marks(course: PlainCourse | EngineCourse) -> Marks:
    """Every automatic mark in a course's gradebook."""
    query = """
        SELECT submitted_assignment.student_id, base_cell.name, grade.auto_score
        FROM grade
        JOIN base_cell ON base_cell.id = grade.cell_id
        JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
        JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
    """
    with closing(sqlite3.connect(course.root / "gradebook.db")) as connection:
        rows = connection.execute(query).fetchall()
    return {(student, cell.removeprefix("check_")): score for student, cell, score in rows}


def _hand_in(root: Path, learners: Iterable[Learner], released: dict[str, Any]) -> None:
    for learner in learners:
        folder = root / "submitted" / learner.name / ASSIGNMENT
        folder.mkdir(parents=True)
        text = submission(learner, released)
        (folder / f"{ASSIGNMENT}.ipynb").write_text(text, encoding="utf-8")


def _with_tests(cell: dict[str, Any]) -> dict[str, Any]:
    name = grade_id(cell)
    if not name.startswith("check_"):
        return cell
    points = cell["metadata"]["nbgrader"]["points"]
    tests = TESTS.format(exercise=name.removeprefix("check_"), points=points)
    return cell | {"source": tests.strip()}


def released() -> dict[str, Any]:
    """The notebook as learners get it."""
    return _notebook(ROOT / "exercises" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")


def _notebook(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
