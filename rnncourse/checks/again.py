"""Whether a function gives the same results when it is called once more on the same inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from .._exercise import Function
from .drivers import Outcome
from .plan import Key, Plan, Stage
from .report import Report, StageReport
from .results import Arrays

NOT_THE_SAME = (
    "a second call on the same inputs gives other results: is something kept from one call to the "
    "next, or drawn at random?"
)


def called_again(
    plan: Plan,
    report: Report,
    stages: Iterable[Stage],
    function: Function,
    outcomes: Mapping[Key, Outcome],
) -> Report:
    """The report, with one sentence instead of many where a second call gives other results.

    Looked at are the calls of the first stage that failed, or of the last one that asks for
    gradients where none did.
    """
    by_name = {stage.name: stage for stage in stages}
    judged = _worth_a_second_call(report, by_name)
    if judged is None or _same_again(plan, by_name[judged.name], function, outcomes):
        return report
    told = replace(judged, status="failed", sentences=(NOT_THE_SAME,))
    return replace(
        report, stages=tuple(told if stage is judged else stage for stage in report.stages)
    )


def _worth_a_second_call(report: Report, stages: Mapping[str, Stage]) -> StageReport | None:
    failed = [stage for stage in report.stages if stage.status == "failed"]
    if failed:
        return failed[0] if stages[failed[0].name].aspect in ("values", "gradients") else None
    asked = [stage for stage in report.stages if stages[stage.name].aspect == "gradients"]
    return asked[-1] if asked and not asked[-1].by_probe else None


def _same_again(
    plan: Plan, stage: Stage, function: Function, outcomes: Mapping[Key, Outcome]
) -> bool:
    first = {case.key: outcomes[case.key] for case in stage.cases if case.key in outcomes}
    again = plan.run(function, {case.key: case for case in stage.cases})
    return all(_alike(outcome, again[k]) for k, outcome in first.items())


def _alike(first: Outcome, second: Outcome) -> bool:
    """Whether two calls gave the same, up to the order of additions."""
    if first.problem or second.problem:  # whose texts may contain an address in memory
        return bool(first.problem and second.problem)
    return _all_close(first.arrays, second.arrays) and _all_close(first.gradients, second.gradients)


def _all_close(first: Arrays, second: Arrays) -> bool:
    return first.keys() == second.keys() and all(
        _close(value, second[name]) for name, value in first.items()
    )


def _close(first: Tensor, second: Tensor) -> bool:
    return first.shape == second.shape and torch.allclose(
        first.double(), second.double(), rtol=1e-4, atol=1e-5, equal_nan=True
    )
