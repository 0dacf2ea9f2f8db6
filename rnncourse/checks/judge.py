"""From the outcomes of calls to a verdict, stage by stage.

A pure function of what was expected and what came: the public check and the grader share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from torch import Tensor

from .all_right import all_right
from .compare import all_close, gradient_difference, shape_difference, value_difference
from .drivers import CUT_OFF, Outcome, Problem
from .naming import KnownMistake, name_mistake, name_one_of_several
from .plan import Aspect, Case, Key, Plan, Stage
from .report import Report, StageReport

FIXED = {CUT_OFF}
"""Sentences on problems that are always the same."""
HIDDEN = {
    "raised": "it raised an error.",
    "result": "what it returns is not what the exercise asks for.",
    "unfilled": "it calls a function that is not filled in.",
}
"""What is said of other problems where the inputs are secret, by kind."""
UNFILLED = "{} is not filled in."


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
    mistakes = tuple(mistakes)
    if whole.complete or not mistakes:
        return whole
    failed = [stage for stage in stages if judged[stage.name].status == "failed"]
    named = name_mistake(plan, outcomes, mistakes)
    if not named:
        named = name_one_of_several(plan, failed, expected, outcomes, mistakes)
    return replace(whole, mistake=named)


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
