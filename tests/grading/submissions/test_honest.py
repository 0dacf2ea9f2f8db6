"""Honest notebooks have their marks, whatever else stands in them."""

from __future__ import annotations

import pytest

from rnncourse.grading.sandbox.host import Worker
from rnncourse.grading.sandbox.job import ClassCalls, Run
from tests.grading.sandboxes import needs_sandbox
from tests.grading.submissions.snippets import SNIPPETS
from tools.demonstration.learners import solutions

pytestmark = needs_sandbox

START = "import torch\nfrom torch import nn\nfrom rnncourse import check, fill"


@pytest.fixture(scope="module")
def run(worker: Worker, class_calls: ClassCalls) -> Run:
    """A notebook with all of them after right answers."""
    return worker.run([START, *solutions().values(), *SNIPPETS], class_calls)


def test_there_are_many() -> None:
    assert len(set(SNIPPETS)) >= 90


def test_none_is_reported(run: Run) -> None:
    assert run.flags == {}


def test_each_runs(run: Run) -> None:
    cells = dict(zip([START, *solutions().values(), *SNIPPETS], run.cells, strict=True))
    assert {source: cell.error for source, cell in cells.items() if cell.error} == {}


def test_every_answer_is_as_right_as_without_them(
    run: Run, worker: Worker, class_calls: ClassCalls
) -> None:
    alone = worker.run([START, *solutions().values()], class_calls)
    for name, exercise in run.exercises.items():
        assert (exercise.ended, exercise.note) == ("done", "")
        assert exercise.outcomes.keys() == alone.exercises[name].outcomes.keys()
        assert all(o.problem is None for o in exercise.outcomes.values())
