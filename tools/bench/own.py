"""What it costs the grader itself that each hand-in is asked inputs of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rnncourse.checks.judge import judge
from rnncourse.checks.plan import cases_of
from rnncourse.grading.hidden_test import HiddenTest

TIMES = 50


def own_cost(hidden_tests: Sequence[HiddenTest]) -> str:
    """A sentence: processor time to draw the inputs of a hand-in, and to run the references."""
    drawn = judged = 0.0
    for hidden_test in hidden_tests:
        plan, hidden = hidden_test.plan, hidden_test.hidden
        report = judge(plan, hidden.stages, hidden.expected, hidden.expected, ())
        own = hidden_test.own_stages("")
        outcomes = plan.run(hidden_test.solution, cases_of(own))
        drawn += _milliseconds(lambda hidden_test=hidden_test: hidden_test.own_stages(""))
        judged += _milliseconds(
            lambda hidden_test=hidden_test, report=report, own=own, outcomes=outcomes: (
                hidden_test.is_right_elsewhere(report, own, outcomes)
            )
        )
    return (
        f"Inputs of one's own: {drawn:.1f} ms a right submission to draw them for "
        f"{len(hidden_tests)} exercises, {judged:.1f} ms to run the references and compare."
    )


def _milliseconds(work: Callable[[], object]) -> float:
    """Processor time of one of many times."""
    work()
    start = time.process_time()
    for _ in range(TIMES):
        work()
    return (time.process_time() - start) / TIMES * 1000
