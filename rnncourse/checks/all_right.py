"""Whether all that came of an exercise's calls is right, in one comparison.

It says no more than `judge` does stage by stage, in a fraction of the time: most answers are right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from .compare import close
from .drivers import Outcome
from .plan import Aspect, Key, Plan, Stage
from .results import Arrays

Pair = tuple[Tensor, Tensor | None]
"""What is right, and what came."""


def all_right(
    plan: Plan,
    stages: Iterable[Stage],
    expected: Mapping[Key, Outcome],
    outcomes: Mapping[Key, Outcome],
) -> bool:
    """Whether every stage passes without a probe. A no may also mean that it takes a closer look,
    as at gradients of another dtype.

    Args:
        expected, outcomes: by call.
    """
    aspects: defaultdict[Key, set[Aspect]] = defaultdict(set)
    for stage in stages:
        for case in stage.cases:
            aspects[case.key].add(stage.aspect)
    results: list[Pair] = []
    gradients: list[Pair] = []
    for call, asked in aspects.items():
        outcome = outcomes.get(call)
        if outcome is None or outcome.problem or ("unchanged" in asked and outcome.changed):
            return False
        if "gradients" in asked:
            if outcome.gradient_problem:
                return False
            gradients += _pairs(expected[call].gradients, outcome.gradients)
        if asked - {"device", "unchanged"}:
            right = expected[call].arrays
            if not all(_is_alike(*pair) for pair in _pairs(right, outcome.arrays)):
                return False
            own = {name: outcome.arrays[name] for name in right}
            results += _pairs(plan.relation.canonical(right), plan.relation.canonical(own))
    return _close(results, plan.relation.atol) and _close(gradients)


def _pairs(right: Arrays, own: Arrays) -> list[Pair]:
    return [(value, own.get(name)) for name, value in right.items()]


def _is_alike(right: Tensor, own: Tensor | None) -> bool:
    """Whether two tensors can be compared number by number."""
    return own is not None and right.shape == own.shape and right.dtype == own.dtype


def _close(pairs: Iterable[Pair], atol: float = 0.0) -> bool:
    by_dtype: defaultdict[torch.dtype, tuple[list[Tensor], list[Tensor]]]
    by_dtype = defaultdict(lambda: ([], []))
    for right, own in pairs:
        if own is None or not _is_alike(right, own):
            return False
        ours, theirs = by_dtype[right.dtype]
        ours.append(right.flatten())
        theirs.append(own.flatten())
    return all(close(torch.cat(a), torch.cat(b), atol) for a, b in by_dtype.values())
