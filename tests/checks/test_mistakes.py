"""Every known mistake is caught and named; every honest answer passes; nothing stored is stale."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import pytest
import torch

from rnncourse._exercise import CHAPTERS, Exercise, exercises
from rnncourse.checks import examine
from rnncourse.checks.fingerprints import load
from rnncourse.checks.judge import judge
from rnncourse.checks.naming import NAMING_ATOL
from rnncourse.checks.plan import Plan, Stage, cases_of, plan_of
from rnncourse.checks.report import Report
from rnncourse.grading.hidden_test import (
    ExpectedStages,
    HiddenTest,
    HiddenTestError,
    build_hidden_test,
)
from tools import fingerprints
from tools.answers import Known, Right, known, right, solution

KNOWN = [k for chapter in CHAPTERS for k in known(chapter)]
RIGHT = [r for chapter in CHAPTERS for r in right(chapter)]
EXERCISES = list(exercises().values())
CELLS = {
    "gru_cell",
    "gru_cell_reset_before",
    "joined_rnn_cell",
    "lstm_cell",
    "rnn_cell",
    "rnn_cell_backward",
}
"""Exercises that ask for at least ten known mistakes."""

LUCKY = {
    *(
        ("analogy", f"{lengths}_to_unit_length")
        for lengths in ("candidates_not", "never", "columns")
    ),
    ("analogy", "difference_like_the_question"),
    *(("masked_cross_entropy", name) for name in ("sum_without_division", "divided_by_the_batch")),
}
"""Mistakes by which a part of the answer may be right by chance, as a word out of few or a sum over
one step: it is on the inputs drawn here for the class, and not on those drawn for one hand-in."""

APART = 100
"""How many times further apart than the tolerance two mistakes must be to have names."""


def of(entry: Exercise, seed: int) -> HiddenTest:
    stored = load(entry.chapter)[entry.name]
    return build_hidden_test(plan_of(entry.name), solution(entry.name), seed, stored)


@pytest.fixture(scope="module")
def hidden_tests() -> dict[tuple[str, int], HiddenTest]:
    return {(e.name, seed): of(e, seed) for e in EXERCISES for seed in (1, 2)}


def report_on(
    hidden_test: HiddenTest, tried: ExpectedStages, function: Callable[..., Any]
) -> Report:
    """The report on a function, by the class's secret inputs or by public ones."""
    outcomes = hidden_test.plan.run(function, tried.cases)
    return judge(hidden_test.plan, tried.stages, tried.expected, outcomes, hidden_test.mistakes)


def hidden(hidden_test: HiddenTest, function: Callable[..., Any]) -> Report:
    return report_on(hidden_test, hidden_test.hidden, function)


def is_right_elsewhere(
    hidden_test: HiddenTest, report: Report, function: Callable[..., Any]
) -> bool:
    """Whether what is right on the class's inputs is right on those of one hand-in."""
    own = hidden_test.own_stages("a digest")
    outcomes = hidden_test.plan.run(function, cases_of(own))
    return hidden_test.is_right_elsewhere(report, own, outcomes)


@pytest.mark.parametrize("k", KNOWN, ids=lambda k: f"{k.exercise}-{k.mistake.id}")
def test_a_known_mistake_fails_and_is_named_by_both(
    k: Known, hidden_tests: dict[tuple[str, int], HiddenTest]
) -> None:
    entry = exercises()[k.exercise]
    entry.filled = k.function
    public = examine(entry)
    assert not public.complete
    assert public.mistake == k.mistake
    hidden_1, hidden_2 = (hidden(hidden_tests[k.exercise, s], k.function) for s in (1, 2))
    assert not hidden_1.complete and not hidden_2.complete
    hidden_test = hidden_tests[k.exercise, 1]
    assert report_on(hidden_test, hidden_test.public, k.function).mistake == k.mistake
    lucky = (k.exercise, k.mistake.id) in LUCKY
    assert is_right_elsewhere(hidden_tests[k.exercise, 1], hidden_1, k.function) is not lucky


@pytest.mark.parametrize("r", RIGHT, ids=lambda r: f"{r.exercise}-{r.style}")
def test_an_honest_answer_passes_both(
    r: Right, hidden_tests: dict[tuple[str, int], HiddenTest]
) -> None:
    entry = exercises()[r.exercise]
    entry.filled = r.function
    hidden_1, hidden_2 = (hidden(hidden_tests[r.exercise, s], r.function) for s in (1, 2))
    for report in (examine(entry), hidden_1, hidden_2):
        assert report.complete, report
        assert report.mistake is None
    assert is_right_elsewhere(hidden_tests[r.exercise, 1], hidden_1, r.function)


@pytest.mark.parametrize("entry", EXERCISES, ids=lambda e: e.name)
def test_right_results_for_another_hand_in_are_wrong_for_this_one(
    entry: Exercise, hidden_tests: dict[tuple[str, int], HiddenTest]
) -> None:
    """Numbers, whole numbers and what is drawn alike: who knows other inputs knows nothing."""
    hidden_test = hidden_tests[entry.name, 1]
    report = hidden(hidden_test, hidden_test.solution)
    assert report.complete
    other = hidden_test.plan.run(hidden_test.solution, cases_of(hidden_test.own_stages("b")))
    assert hidden_test.is_right_elsewhere(report, hidden_test.own_stages("b"), other)
    assert not hidden_test.is_right_elsewhere(report, hidden_test.own_stages("a"), other)


def only_stages(change: Callable[[Stage], Stage], *names: str) -> Plan:
    """The plan of `lstm_cell` with these stages only, each changed."""
    plan = plan_of("lstm_cell")
    kept = lambda *fixtures: [  # noqa: E731
        change(replace(s, after="")) for s in plan.stages(*fixtures) if s.name in names
    ]
    return replace(plan, stages=kept)


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (only_stages(lambda s: s, "only the biases"), "asks for values on a whole fixture"),
        (only_stages(lambda s: replace(s, weight=0.0), "all terms together"), "worth any points"),
        (
            only_stages(lambda s: replace(s, weight=0.5), "leaves its inputs unchanged"),
            "only a learner's own process could attest: leaves its inputs unchanged",
        ),
    ],
)
def test_a_plan_that_cannot_be_graded_by_is_refused(plan: Plan, sentence: str) -> None:
    """A hand-in would have no inputs of its own, no points, or points for its own word."""
    with pytest.raises(HiddenTestError, match=sentence):
        build_hidden_test(plan, solution("lstm_cell"), 1)


@pytest.mark.parametrize("entry", EXERCISES, ids=lambda e: e.name)
def test_torchs_own_function_and_the_solution_say_the_same(
    entry: Exercise, hidden_tests: dict[tuple[str, int], HiddenTest]
) -> None:
    hidden_test = hidden_tests[entry.name, 1]
    for tried in (hidden_test.hidden, hidden_test.public):
        report = report_on(hidden_test, tried, hidden_test.solution)
        assert report.complete, report
    oracle = hidden_test.plan.oracle
    unprobed = {k: case for k, case in hidden_test.hidden.cases.items() if not k.probed}
    if oracle:
        outcomes = hidden_test.plan.run(oracle, unprobed)
        assert hidden_test.is_right(outcomes)


@pytest.mark.parametrize("entry", EXERCISES, ids=lambda e: e.name)
def test_a_stub_lacks_nothing(entry: Exercise) -> None:
    stored = load(entry.chapter)[entry.name]
    mistakes, styles = known(entry.chapter, entry.name), right(entry.chapter, entry.name)
    assert len(mistakes) >= (10 if entry.name in CELLS else 5)
    assert len(styles) >= (5 if entry.name in CELLS else 4)
    assert [known.mistake.id for known in stored.mistakes] == [k.mistake.id for k in mistakes]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_ids_of_mistakes_are_unique_and_sentences_end(chapter: str) -> None:
    mistakes = [k.mistake for k in known(chapter)]
    assert len({m.id for m in mistakes}) == len(mistakes)
    assert all(m.sentence.endswith((".", "?")) and len(m.sentence) < 160 for m in mistakes)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_fingerprints_are_fresh(chapter: str) -> None:
    stored = fingerprints.read(chapter)
    made = fingerprints.settled(fingerprints.chapter_content(chapter), stored)
    lines = [fingerprints.written(content).splitlines() for content in (stored, made)]
    changed = [
        f"{old[:100]} -> {new[:100]}"
        for old, new in zip_longest(*lines, fillvalue="")
        if old != new
    ]
    assert changed == [], "run: python -m tools.fingerprints"


def test_regenerating_rewrites_only_numbers_that_have_changed() -> None:
    """A last digit that another processor rounds otherwise stays; a number that moved does not."""
    stored = fingerprints.read("clipping")
    made = copy.deepcopy(stored)
    answer = made["global_norm"]["mistakes"][0]["calls"][0]["results"]["norm"]["data"]
    step = made["clipped_training_step"]["answers"][0]["results"]["weight"]["data"]
    answer[0] += 1e-6
    step[0] += 1e-6
    step[1] += 1e-3
    settled = fingerprints.settled(made, stored)
    was = stored["clipped_training_step"]["answers"][0]["results"]["weight"]["data"]
    now = settled["clipped_training_step"]["answers"][0]["results"]["weight"]["data"]
    assert settled["global_norm"] == stored["global_norm"]
    assert now == [was[0], was[1] + 1e-3, *was[2:]]
    made["global_norm"]["mistakes"][0]["sentence"] = "Another sentence."
    assert fingerprints.settled(made, stored)["global_norm"] == made["global_norm"] | {
        "mistakes": [
            made["global_norm"]["mistakes"][0]
            | {"calls": stored["global_norm"]["mistakes"][0]["calls"]},
            *made["global_norm"]["mistakes"][1:],
        ]
    }


@pytest.mark.parametrize("entry", EXERCISES, ids=lambda e: e.name)
def test_named_mistakes_are_far_apart(entry: Exercise) -> None:
    """Measured on a fixture each: the largest difference of any number that both have.
    Mistakes that show in no call together cannot be taken for each other."""
    stored = load(entry.chapter)[entry.name]
    first = {
        m.id: {
            k: {**numbers.results, **{f"by {n}": v for n, v in numbers.gradients.items()}}
            for k, numbers in signature.items()
            if k.label == "fixture 1" and not k.probed
        }
        for m, signature, _ in stored.mistakes
    }
    for (a, one), (b, other) in itertools.combinations(first.items(), 2):
        arrays = [(x[k], y[k]) for n, x in one.items() if (y := other.get(n)) for k in x if k in y]
        apart = any(x.shape != y.shape or _gap(x, y) >= APART * NAMING_ATOL for x, y in arrays)
        assert apart or not one.keys() & other.keys(), (a, b)


def _gap(x: torch.Tensor, y: torch.Tensor) -> float:
    return float((x - y).abs().max()) if x.numel() else 0.0


@pytest.mark.parametrize("entry", EXERCISES, ids=lambda e: e.name)
def test_fixtures_are_not_saturated_constant_or_square(entry: Exercise) -> None:
    for sizes in plan_of(entry.name).sizes[:2]:
        assert len(set(sizes.values())) == len(sizes)
    for fixture in load(entry.chapter)[entry.name].fixtures:
        for name, value in (*fixture.inputs.items(), *fixture.cotangents.items()):
            assert not value.is_floating_point() or value.abs().max() < 1, name
            assert value.numel() == 1 or len(value.unique()) > 1, name
