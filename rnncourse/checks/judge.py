"""From the outcomes of calls to a verdict, stage by stage.

A pure function of what was expected and what came: the public check and the grader share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from .all_right import all_right
from .compare import all_close, close, gradient_difference, shape_difference, value_difference
from .drivers import CUT_OFF, Outcome, Problem
from .plan import Aspect, Case, Key, Plan, Stage
from .results import Arrays

Status = Literal["passed", "failed", "not reached"]
NAMING_ATOL = 1e-4
"""The least `naming_tolerance`."""

FIXED = {CUT_OFF}
"""Sentences on problems that are always the same."""
HIDDEN = {
    "raised": "it raised an error.",
    "result": "what it returns is not what the exercise asks for.",
    "unfilled": "it calls a function that is not filled in.",
}
"""What is said of other problems where the inputs are secret, by kind."""
UNFILLED = "{} is not filled in."


@dataclass(frozen=True)
class Mistake:
    """A known wrong implementation: an id, and a sentence for whoever makes it."""

    id: str
    sentence: str


@dataclass(frozen=True)
class Numbers:
    """What can be told of an outcome: results, after the plan's relation, and gradients."""

    results: Arrays = field(default_factory=dict)
    gradients: Arrays = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self.results or self.gradients)


Signature = Mapping[Key, Numbers]
"""What a mistake gives in some calls."""


class KnownMistake(NamedTuple):
    """A mistake and the numbers by which it is recognised.

    Attributes:
        whole: in calls on whole fixtures.
        parts: in calls that ask for one part of the formula, where it is wrong there.
    """

    mistake: Mistake
    whole: Signature
    parts: Signature = {}


@dataclass(frozen=True)
class StageReport:
    """How one stage went, and a sentence for each thing that is wrong."""

    name: str
    status: Status
    sentences: tuple[str, ...] = ()
    by_probe: bool = False


@dataclass(frozen=True)
class Report:
    """How an exercise went.

    Attributes:
        mistake: the known mistake whose numbers these are.
        unfilled: the sentence that says what is not filled in, if that is all there is to say.
        stopped: the sentence that says why its call had no end, such as a loop, if it had none.
        ready_made: what it uses of torch that does what it is to do, as dotted names.
    """

    exercise: str
    stages: tuple[StageReport, ...]
    mistake: Mistake | None = None
    unfilled: str = ""
    stopped: str = ""
    ready_made: tuple[str, ...] = ()

    @property
    def passed(self) -> int:
        """How many stages passed."""
        return sum(stage.status == "passed" for stage in self.stages)

    @property
    def failed(self) -> bool:
        """Whether anything is wrong, or had no end."""
        return bool(self.stopped) or any(stage.status == "failed" for stage in self.stages)

    @property
    def complete(self) -> bool:
        """Whether all stages passed, and nothing ready made was used."""
        told = self.unfilled or self.stopped or self.ready_made
        return not told and self.passed == len(self.stages)


def report_of(content: dict[str, Any]) -> Report:
    """The report of which `dataclasses.asdict` made `content`.

    Raises:
        KeyError, TypeError: it is no report's.
    """
    stages = tuple(
        StageReport(**{**stage, "sentences": tuple(stage["sentences"])})
        for stage in content["stages"]
    )
    mistake = Mistake(**content["mistake"]) if content["mistake"] else None
    ready_made = tuple(content.get("ready_made", ()))
    return Report(**{**content, "stages": stages, "mistake": mistake, "ready_made": ready_made})


def judge(
    plan: Plan,
    stages: Iterable[Stage],
    expected: Mapping[Key, Outcome],
    outcomes: Mapping[Key, Outcome],
    mistakes: Iterable[KnownMistake],
    reveal: bool = False,
) -> Report:
    """What the outcomes are worth.

    Args:
        expected, outcomes: by call; an outcome that is missing was never reached.
        mistakes: known mistakes, looked at only when a stage failed.
        reveal: whether sentences may contain what came of the calls: numbers, shapes and messages
            of errors. They must not where the inputs are secret, for the function could put these
            into whatever it gives.
    """
    stages = tuple(stages)
    if all_right(plan, stages, expected, outcomes):
        passed = tuple(StageReport(stage.name, "passed") for stage in stages)
        return Report(plan.exercise, passed)
    judged: dict[str, StageReport] = {}
    for stage in stages:
        if stage.after and judged[stage.after].status != "passed":
            judged[stage.name] = StageReport(stage.name, "not reached")
            continue
        report = _judge_stage(plan, stage, expected, outcomes, reveal)
        said = _said_before(report, judged.values(), outcomes.values(), reveal)
        judged[stage.name] = StageReport(stage.name, "not reached") if said else report
    whole = Report(plan.exercise, tuple(judged.values()))
    if unfilled := _unfilled(plan.exercise, outcomes):
        return replace(whole, unfilled=unfilled if reveal else UNFILLED.format(plan.exercise))
    if whole.complete:
        return whole
    mistakes = tuple(mistakes)
    failed = [stage for stage in stages if judged[stage.name].status == "failed"]
    named = name_mistake(plan, outcomes, mistakes)
    if not named:
        named = name_one_of_several(plan, failed, expected, outcomes, mistakes)
    return replace(whole, mistake=named)


def name_mistake(
    plan: Plan, outcomes: Mapping[Key, Outcome], mistakes: Iterable[KnownMistake]
) -> Mistake | None:
    """The first mistake whose numbers are the outcomes' in every call of one driver."""
    own = {k: comparable_results(plan, outcome) for k, outcome in outcomes.items()}
    atol = naming_tolerance(plan)
    for known in mistakes:
        for way in {_way(call) for call in known.whole}:
            calls = {k: v for k, v in known.whole.items() if _way(k) == way}
            if all(k in own and _is_like(own[k], v, atol) for k, v in calls.items()):
                return known.mistake
    return None


def name_one_of_several(
    plan: Plan,
    failed: Iterable[Stage],
    expected: Mapping[Key, Outcome],
    outcomes: Mapping[Key, Outcome],
    mistakes: Iterable[KnownMistake],
) -> Mistake | None:
    """The known mistake that explains the first stage that failed, where the whole is wrong in more
    ways than one: of several the one that explains most stages. None where several explain as much.

    A mistake explains a stage if all that it spoils there looks as it would with this mistake
    alone: a part of the formula, or one of several results.
    """
    own, right = (
        {k: comparable_results(plan, outcome).results for k, outcome in each.items()}
        for each in (outcomes, expected)
    )
    asked = [[case.key for case in stage.cases] for stage in failed if stage.aspect == "values"]
    atol = naming_tolerance(plan)
    found: dict[int, list[Mistake]] = {}
    for known in mistakes:
        signature = {**known.whole, **known.parts}
        explained = [_explains(signature, calls, own, right, atol) for calls in asked]
        if explained and explained[0]:
            found.setdefault(sum(explained), []).append(known.mistake)
    best = found[max(found)] if found else []
    return best[0] if len(best) == 1 else None


def _explains(
    known: Signature,
    calls: Iterable[Key],
    own: Mapping[Key, Arrays],
    right: Mapping[Key, Arrays],
    atol: float,
) -> bool:
    """Whether a mistake spoils something in each call, and all that it spoils looks like that."""
    for call in calls:
        if call not in known or call not in own:
            return False
        spoilt = {
            name: value
            for name, value in known[call].results.items()
            if name not in right[call] or not _is_near(right[call][name], value, atol)
        }
        if not spoilt or not _are_like(own[call], spoilt, atol):
            return False
    return True


def _is_near(right: Tensor, value: Tensor, atol: float) -> bool:
    return right.shape == value.shape and is_near(right, value, atol)


def _way(call: Key) -> tuple[str, bool]:
    """How a call is made: by which driver, and with a probe or without."""
    return call.driver, call.probed


def naming_tolerance(plan: Plan) -> float:
    """How near an outcome must be to a mistake's to be called by its name."""
    return max(NAMING_ATOL, plan.relation.atol)


def comparable_results(plan: Plan, outcome: Outcome) -> Numbers:
    """What a right answer leaves no choice in: results after the plan's relation, and gradients."""
    try:
        return Numbers(plan.relation.canonical(outcome.arrays), outcome.gradients)
    except (RuntimeError, KeyError):  # results of shapes that the relation cannot take
        return Numbers(outcome.arrays)


def fingerprint(plan: Plan, outcome: Outcome, right: Outcome) -> Numbers:
    """The numbers that tell a wrong outcome from others: its results, or where these are right its
    gradients as well. Empty when there is nothing to tell it by."""
    own, wanted = comparable_results(plan, outcome), comparable_results(plan, right)
    atol, expected = plan.relation.atol, wanted.results
    if any(k not in expected or not close(expected[k], v, atol) for k, v in own.results.items()):
        return Numbers(own.results)
    pairs = [(expected[k], v) for k, v in own.results.items()]
    pairs += [(wanted.gradients[k], v) for k, v in own.gradients.items()]
    return Numbers() if all(close(right, v) for right, v in pairs) else own


def _is_like(own: Numbers, stored: Numbers, atol: float) -> bool:
    return _are_like(own.results, stored.results, atol) and _are_like(
        own.gradients, stored.gradients, atol
    )


def _are_like(own: Arrays, stored: Arrays, atol: float) -> bool:
    return all(
        name in own and own[name].shape == value.shape and is_near(own[name], value, atol)
        for name, value in stored.items()
    )


def is_near(own: Tensor, stored: Tensor, atol: float) -> bool:
    """Infinite numbers and NaN tell a mistake as well as others."""
    return torch.allclose(own.double(), stored.double(), rtol=0, atol=atol, equal_nan=True)


def _unfilled(exercise: str, outcomes: Mapping[Key, Outcome]) -> str:
    """What is missing if it is this exercise; another one that it calls may be missing too."""
    problems = [o.problem for o in outcomes.values() if o.problem]
    own = [problem.text for problem in problems if problem.unfilled == exercise]
    return own[0] if own and len(own) == len(outcomes) else ""


def _said_before(
    report: StageReport,
    earlier: Iterable[StageReport],
    outcomes: Iterable[Outcome],
    reveal: bool,
) -> bool:
    """Whether a stage failed only for a reason, such as an exception, that an earlier one gave."""
    problems = {_told(outcome.problem, reveal) for outcome in outcomes if outcome.problem}
    return report.status == "failed" and any(
        report.sentences == stage.sentences and set(stage.sentences) <= problems
        for stage in earlier
    )


def _judge_stage(
    plan: Plan,
    stage: Stage,
    expected: Mapping[Key, Outcome],
    outcomes: Mapping[Key, Outcome],
    reveal: bool,
) -> StageReport:
    sentences = _try(plan, stage.aspect, stage.cases, expected, outcomes, reveal)
    if sentences == ():
        return StageReport(stage.name, "passed")
    if stage.instead:
        probed = _try(plan, stage.aspect, stage.instead, expected, outcomes, reveal)
        if probed == ():
            return StageReport(stage.name, "passed", by_probe=True)
        sentences = probed if sentences is None else sentences
    if sentences is None:
        return StageReport(stage.name, "not reached")
    return StageReport(stage.name, "failed", sentences)


def _try(
    plan: Plan,
    aspect: Aspect,
    cases: tuple[Case, ...],
    expected: Mapping[Key, Outcome],
    outcomes: Mapping[Key, Outcome],
    reveal: bool,
) -> tuple[str, ...] | None:
    """What is wrong in the first of the cases that is; () when all pass, None if one is missing."""
    for case in cases:
        if case.key not in outcomes:
            return None
        outcome = outcomes[case.key]
        if outcome.problem:
            return (_told(outcome.problem, reveal),)
        sentences = _differences(plan, aspect, expected.get(case.key), outcome, reveal)
        if sentences:
            given = plan.given(case) if reveal and aspect == "values" else ""
            return tuple([*sentences, f"Called with {given}."] if given else sentences)
    return ()


def _differences(
    plan: Plan, aspect: Aspect, right: Outcome | None, outcome: Outcome, reveal: bool
) -> list[str]:
    if aspect == "unchanged":
        return [f"{name} is changed in place; work on a copy." for name in outcome.changed]
    if aspect == "device":
        return []  # the driver refuses a result on another device than its inputs'
    assert right is not None, "only the device is judged without an expected outcome"
    if aspect == "gradients":
        return _gradient_differences(plan, right, outcome, reveal)
    results = [*right.arrays]
    shapes = [
        shape_difference(k, plan.axes.get(k, ()), right.arrays[k], outcome.arrays[k], reveal)
        for k in results
    ]
    if aspect == "shapes" or any(shapes):
        return [s for s in shapes if s]
    wrong = [k for k in results if outcome.arrays[k].dtype != right.arrays[k].dtype]
    if wrong:
        return [_dtype_difference(k, right.arrays[k], outcome.arrays[k]) for k in wrong]
    return _value_differences(plan, right, outcome, reveal)


def _value_differences(plan: Plan, right: Outcome, outcome: Outcome, reveal: bool) -> list[str]:
    results = plan.relation.canonical(right.arrays)
    own = plan.relation.canonical({k: outcome.arrays[k] for k in right.arrays})
    atol = plan.relation.atol
    if all_close([*results.values()], [own[k] for k in results], atol):
        return []
    found = [
        (
            k,
            value_difference(
                k, plan.axes.get(k, ()), results[k], own[k], reveal, atol, plan.words.get(k, ())
            ),
        )
        for k in results
    ]
    return _first_in_full(found)


def _gradient_differences(plan: Plan, right: Outcome, outcome: Outcome, reveal: bool) -> list[str]:
    if outcome.gradient_problem:
        return [_told(outcome.gradient_problem, reveal, of_gradients=True)]
    names = [*right.gradients]
    if outcome.gradients.keys() >= {*names} and all_close(
        [right.gradients[k] for k in names], [outcome.gradients[k] for k in names]
    ):
        return []
    found = []
    for name, axes in plan.arguments.items():
        wanted, own = (o.gradients.get(name) for o in (right, outcome))
        if wanted is not None and own is None:
            found.append((name, f"there is no gradient of {name}."))
        elif wanted is not None and own is not None:
            known = axes if isinstance(axes, tuple) else ()
            found.append((name, gradient_difference(name, known, wanted, own, reveal)))
    return _first_in_full(found)


def _first_in_full(found: list[tuple[str, str]]) -> list[str]:
    """The first difference as a sentence, the others by name."""
    wrong = [(name, sentence) for name, sentence in found if sentence]
    others = [name for name, _ in wrong[1:]]
    more = [f"Also wrong: {', '.join(others)}."] if others else []
    return [sentence for _, sentence in wrong[:1]] + more


def _told(problem: Problem, reveal: bool, of_gradients: bool = False) -> str:
    """A sentence on a problem. Its own text may say anything: it was made where the learner's code
    runs."""
    if reveal or problem.text in FIXED:
        return problem.text
    return f"computing gradients, {HIDDEN[problem.kind]}" if of_gradients else HIDDEN[problem.kind]


def _dtype_difference(name: str, right: Tensor, own: Tensor) -> str:
    is_, must = (str(tensor.dtype).removeprefix("torch.") for tensor in (own, right))
    if right.is_floating_point() and own.is_floating_point():
        return f"{name} is {is_} for inputs of {must}."
    return f"{name} is {is_}; it must be {must}."
