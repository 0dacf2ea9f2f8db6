"""What pages tell a learner of the hidden tests: no expected number, and no input that a function
prints."""

from __future__ import annotations

import pytest

from rnncourse.checks.judge import key
from rnncourse.grading.course import Checkout
from rnncourse.grading.spec import Trial
from tests.demonstration.learners import ASSIGNMENT, ROOT

from .classroom import Graded

WRONG_IN_NUMBERS = ("ast_transformer", "input_transformer", "tensor_subclass", "says_inputs")
"""Learners whose cell has the right shapes and wrong numbers."""


@pytest.fixture(scope="module")
def trial(quick: Graded) -> Trial:
    """The hidden tests of lstm_cell in that class."""
    trials = Checkout(ROOT).trials(ASSIGNMENT, int(quick.secret_seed))
    return next(trial for trial in trials if trial.plan.exercise == "lstm_cell")


def test_words_of_a_function_reach_no_page(quick: Graded) -> None:
    assert "inputs: " not in quick.said("says_inputs")
    page = quick.place.course / "feedback/says_inputs/lstm/lstm.html"
    assert "inputs: -" not in page.read_text("utf-8")
    for value in range(10):
        assert f"inputs: {value}" not in quick.returned("says_inputs")


@pytest.mark.parametrize("learner", WRONG_IN_NUMBERS)
def test_no_expected_number_reaches_a_page(quick: Graded, trial: Trial, learner: str) -> None:
    returned = quick.returned(learner)
    assert "it should be" not in returned
    for stage in trial.stages:
        for case in stage.cases:
            for wanted in _numbers(trial, key(case)):
                assert f"{wanted:.6f}" not in returned
                assert f"yours is {wanted:.4f}" not in returned


def _numbers(trial: Trial, which: tuple[str, str]) -> list[float]:
    """What is expected, as far as it is not also a number that anybody gives."""
    outcome = trial.expected.get(which)
    arrays = outcome.arrays.values() if outcome else []
    found = [v for a in arrays if not a.is_meta for v in a.flatten().double().tolist()]
    return [v for v in found if abs(v) > 0.01 and abs(v * 64 - round(v * 64)) > 1e-3]
