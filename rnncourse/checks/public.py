"""The public check: tries a filled stub, stage by stage, and says what is wrong."""

from __future__ import annotations

import inspect
import os
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .._errors import BriefError
from .._exercise import Exercise, FillError, describe, exercises, fill, find
from .._limits import EXERCISE_SECONDS, TimeLimit, TimeUpError
from .._torch_defaults import torch_defaults
from .again import called_again
from .display import ready_made, show
from .drivers import Outcome
from .fingerprints import Stored, load
from .forbidden_calls import uses_noted
from .judge import judge
from .plan import Case, Key, Plan, plan_of
from .report import Report, StageReport


class CheckFailedError(BriefError, AssertionError):
    """Raised by `check` only while nbgrader validates or grades, so that Run All goes on."""


def check(function: Callable[..., Any]) -> None:
    """Try an exercise's function on public cases and display what is right and what is not.

    A function that computes for more than 10 seconds is stopped, on Linux and macOS.

    Args:
        function: the learner's function or the stub. A plain function with a stub's name is
            filled in on the way, and the report says so.

    Raises:
        FillError: `function` is no exercise's function.
        CheckFailedError: it is not right, and nbgrader is watching.

    Example:
        >>> from rnncourse import fill
        >>> @fill
        ... def clip_by_value(grads, limit):
        ...     return [grad.clamp(max=limit) for grad in grads]
        >>> check(clip_by_value)
        ✗ clip_by_value: 3 of 8 public checks passed.
          → Only large positive numbers are cut; numbers below -limit must be cut as well.
        ...
    """
    __tracebackhide__ = True
    entry, note = _exercise_of(function)
    report = examine_within(EXERCISE_SECONDS, entry)
    show(report, note)
    if report.ready_made and _nbgrader_is_watching():
        raise CheckFailedError(ready_made(report))
    if not report.complete and _nbgrader_is_watching():
        raise CheckFailedError(
            f"{entry.name}: {report.passed} of {len(report.stages)} checks passed"
        )


def examine_within(seconds: float, entry: Exercise) -> Report:
    """`examine`, stopped after so many seconds of computing time where `TimeLimit` can do that."""
    where = ""
    try:
        with TimeLimit(seconds) as limit:
            report = examine(entry)
    except TimeUpError as error:
        where = _inside(error, entry)
    # The function may have caught the interruption and gone on.
    return stopped(entry, limit.exceeded + where) if limit.exceeded else report


def _inside(error: BaseException, entry: Exercise) -> str:
    """A sentence on the other exercise whose function was interrupted, "" if it was this one's."""
    code = {e.filled.__code__: e.name for e in exercises().values() if e.filled and e is not entry}
    called = [code.get(frame.f_code, "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    innermost = next((name for name in reversed(called) if name), "")
    return f" It was in {innermost} then, which it calls." if innermost else ""


def stopped(entry: Exercise, reason: str) -> Report:
    """The report on a function that had to be stopped.

    Args:
        reason: what became of it, such as "did not end within 10 seconds".
    """
    stages = tuple(StageReport(name, "not reached") for name in stage_names(entry))
    return Report(entry.name, stages, stopped=f"{entry.name} {reason}")


def stage_names(entry: Exercise) -> list[str]:
    """The stages of an exercise's public check, in order."""
    fixtures = load(entry.chapter)[entry.name].fixtures
    return [stage.name for stage in plan_of(entry.name).stages_on(fixtures)]


@torch_defaults()
def examine(entry: Exercise) -> Report:
    """Run the public check of an exercise on whatever fills it now."""
    plan, stored = plan_of(entry.name), load(entry.chapter)[entry.name]
    stages = plan.stages_on(stored.fixtures)
    plain = {case.key: case for stage in stages for case in stage.cases}
    probed = {case.key: case for stage in stages for case in stage.instead}
    here = {k: case for k, case in (plain | probed).items() if not case.on_meta_device}
    expected = {k: _expected(plan, stored, case) for k, case in here.items()}
    used: set[str] = set()

    def tried(cases: dict[Key, Case]) -> dict[Key, Outcome]:
        with uses_noted(plan.forbidden_calls) as found:
            outcomes = plan.run(entry.stub, cases)
        used.update(found)
        return outcomes

    def judged() -> Report:
        report = judge(plan, stages, expected, outcomes, stored.mistakes, reveal=True)
        return replace(report, ready_made=tuple(n for n in plan.forbidden_calls if n in used))

    outcomes = tried({k: case for k, case in here.items() if k in plain})

    report = judged()
    if report.unfilled:
        return report
    if report.failed:
        outcomes |= tried({k: case for k, case in here.items() if k in probed})
        report = judged()
    if plan.gradients:  # others may draw at random
        report = called_again(plan, report, stages, entry.stub, outcomes)
    if report.failed:
        return report
    # Torch needs a second to load what it runs another device with: only for right values.
    for cases in (plain, probed):
        away = tried({k: case for k, case in cases.items() if case.on_meta_device})
        outcomes |= away
        if any(o.problem and o.problem.kind == "raised" for o in away.values()):
            # That device has fewer operations than a real one, so an error proves nothing.
            stages = [stage for stage in stages if stage.aspect != "device"]
        report = judged()
        if not report.failed:
            break
    return report


def _expected(plan: Plan, stored: Stored, case: Case) -> Outcome:
    """What torch gives, or what is stored where torch has no such function."""
    if plan.oracle is not None and not case.probed:
        return plan.call(plan.oracle, case)
    return stored.answers[case.key]


def _exercise_of(function: object) -> tuple[Exercise, str]:
    """The exercise that a function belongs to, filling it in where it is not yet."""
    if not inspect.isfunction(function):
        raise FillError(
            f"check takes an exercise's function, and this is {describe(function)}. "
            f"The exercises are {', '.join(exercises())}."
        )
    entry = find(function.__name__)
    if function is entry.filled or entry.is_stub(function):
        return entry, ""
    fill(function)
    return entry, f"{entry.name} is filled in with your function now; @fill above it does the same."


def _nbgrader_is_watching() -> bool:
    return any(name in os.environ for name in ("NBGRADER_VALIDATING", "NBGRADER_EXECUTION"))
