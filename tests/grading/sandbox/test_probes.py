"""A function around one that never ends, or that ends its process, is tried with another in its
place: one mistake is not paid for twice."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import Mock

import pytest

from rnncourse.checks.drivers import Outcome
from rnncourse.checks.plan import plan_of
from rnncourse.grading.hidden_test import HiddenTest, build_hidden_test
from rnncourse.grading.marking import judge_submission
from rnncourse.grading.record import ExerciseRecord
from rnncourse.grading.sandbox.host import Worker
from rnncourse.grading.sandbox.job import ClassCalls
from rnncourse.grading.submissions.submission import Submission
from tests.grading.sandboxes import Impatient, needs_sandbox
from tools.answers import solution

pytestmark = needs_sandbox

WORTH = {"cell": 6.0, "layer": 8.0}
PARAMETERS = {"gru": "x, h, w_ih, w_hh, b_ih, b_hh", "lstm": "x, h, c, w_ih, w_hh, b_ih, b_hh"}
LAYERS = {
    "gru": """
@fill
def gru_layer(x, h0, w_ih, w_hh, b_ih, b_hh):
    h, output = h0, []
    for x_t in x:
        h = gru_cell(x_t, h, w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), h
""",
    "lstm": """
@fill
def lstm_layer(x, h0, c0, w_ih, w_hh, b_ih, b_hh):
    h, c, output = h0, c0, []
    for x_t in x:
        h, c = lstm_cell(x_t, h, c, w_ih, w_hh, b_ih, b_hh)
        output.append(h)
    return torch.stack(output), (h, c)
""",
}
START = "import os, time, torch\nfrom rnncourse import fill"
LIMITS = Impatient(exercise=0.6)
ENDINGS = {
    "loops": ("while True: pass", "timeout"),
    "exits": ("os._exit(0)", "error"),
    "sleeps": ("time.sleep(10**6)", "slept"),
}


@dataclass
class Exam:
    """A cell and a layer, to be graded."""

    chapter: str
    worker: Worker
    hidden_tests: list[HiddenTest]

    def records(self, in_cell: str, layer: str = "") -> dict[str, ExerciseRecord]:
        """What a layer gets around a cell with this body, as "cell" and "layer"."""
        name = f"{self.chapter}_cell"
        cell = f"@fill\ndef {name}({PARAMETERS[self.chapter]}):\n    {in_cell}\n"
        cases = {t.plan.exercise: t.hidden.cases for t in self.hidden_tests}
        asked = [START, cell, layer or LAYERS[self.chapter]]
        run = self.worker.run(asked, ClassCalls(cases), LIMITS)
        worth = {f"{self.chapter}_{kind}": points for kind, points in WORTH.items()}
        record = judge_submission(Submission("ada", self.chapter), self.hidden_tests, worth, run)
        return {e.exercise.partition("_")[2]: e for e in record.exercises}

    def right(self) -> list[str]:
        """Cells with a layer around a right cell."""
        return [
            START,
            inspect.getsource(self.hidden_tests[0].solution),
            LAYERS[self.chapter],
        ]


@pytest.fixture(scope="module", params=["gru", "lstm"])
def exam(request: pytest.FixtureRequest, worker: Worker) -> Iterator[Exam]:
    chapter = request.param
    names = [f"{chapter}_{kind}" for kind in WORTH]
    hidden_tests = [build_hidden_test(plan_of(n), solution(n), 3) for n in names]
    yield Exam(chapter, worker, hidden_tests)


@pytest.fixture
def forks(exam: Exam, monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Counts how often the worker starts anew."""
    process = exam.worker._process
    assert process is not None
    counted = Mock(wraps=process.fork)
    monkeypatch.setattr(process, "fork", counted)
    return counted


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_right_layer_is_paid_as_around_a_cell_that_raises(exam: Exam, ending: str) -> None:
    line, verdict = ENDINGS[ending]
    raising, ended = exam.records("raise ValueError"), exam.records(line)
    assert (raising["layer"].points, raising["layer"].verdict) == (WORTH["layer"], "passed")
    layer, same = ended["layer"], raising["layer"]
    assert (layer.points, layer.verdict, layer.message) == (same.points, same.verdict, same.message)
    assert layer.report == same.report
    assert layer.report and all(stage.by_probe for stage in layer.report.stages)
    assert (ended["cell"].points, ended["cell"].verdict) == (0, verdict)


def test_nothing_is_asked_with_a_probe_where_all_is_right_without(exam: Exam) -> None:
    """What is right is known here, and not on a cluster's nodes, where all is asked."""
    specs = {hidden_test.plan.exercise: hidden_test for hidden_test in exam.hidden_tests}
    layer = specs[f"{exam.chapter}_layer"]
    class_calls = ClassCalls({layer.plan.exercise: layer.hidden.cases})
    unknown = exam.worker.run(exam.right(), class_calls, LIMITS).exercises[layer.plan.exercise]
    assert unknown.outcomes.keys() == layer.hidden.cases.keys()
    for yes in (True, False):
        run = exam.worker.run(exam.right(), class_calls, LIMITS, is_right=lambda *_: yes)  # noqa: B023
        asked = run.exercises[layer.plan.exercise].outcomes
        assert all(k in asked for k in layer.hidden.cases if not k.probed)
        assert any(k.probed for k in asked) is not yes
    assert layer.is_right(unknown.outcomes)
    first = next(iter(unknown.outcomes))
    assert not layer.is_right(unknown.outcomes | {first: Outcome()})
    assert not layer.is_right({})


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_partly_right_layer_gets_its_part(exam: Exam, ending: str) -> None:
    """One that is wrong in float64."""
    layer = LAYERS[exam.chapter].replace("torch.stack(output)", "torch.stack(output).float()")
    raising = exam.records("raise ValueError", layer)["layer"]
    ended = exam.records(ENDINGS[ending][0], layer)["layer"]
    assert (ended.points, ended.verdict) == (raising.points, "partial")
    assert ended.points and 0 < ended.points < WORTH["layer"]


@pytest.mark.parametrize("line", [line for line, _ in ENDINGS.values()], ids=ENDINGS)
def test_a_layer_that_never_ends_itself_gets_nothing(exam: Exam, forks: Mock, line: str) -> None:
    """It is asked twice, and no more."""
    layer = LAYERS[exam.chapter].replace("    for x_t in x:", f"    {line}\n    for x_t in x:")
    ended = exam.records("raise ValueError", layer)["layer"]
    assert forks.call_count == 2
    assert ended.points == 0
    assert ended.verdict == dict(ENDINGS.values())[line]


def test_what_nobody_takes_is_not_asked_again(exam: Exam) -> None:
    layer = exam.records("os.write(3, bytes(100))")["layer"]
    assert (layer.points, layer.verdict) == (0, "error")
    assert "what the grader does not take" in layer.message


def test_nothing_is_asked_twice_where_nothing_went_wrong(exam: Exam, forks: Mock) -> None:
    exam.records("raise ValueError")
    assert forks.call_count == 1
