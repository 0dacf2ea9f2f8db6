"""Known mistakes, and by which numbers they are recognised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from .compare import close
from .drivers import Outcome
from .plan import Key, Plan, Stage
from .report import Mistake
from .results import Arrays

NAMING_ATOL = 1e-4
"""The least `naming_tolerance`."""


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
    """The known mistake that explains the first stage that any explains, where the whole is wrong
    in more ways than one: of several the one that explains most stages. None where several explain
    as many.

    A mistake explains a stage if all that it spoils there looks as it would with this mistake
    alone: a part of the formula, or one of several results.
    """
    own, right = (
        {k: comparable_results(plan, outcome).results for k, outcome in each.items()}
        for each in (outcomes, expected)
    )
    asked = [[case.key for case in stage.cases] for stage in failed if stage.aspect == "values"]
    atol = naming_tolerance(plan)
    found: dict[tuple[int, int], list[Mistake]] = {}
    for known in mistakes:
        signature = {**known.whole, **known.parts}
        explained = [_explains(signature, calls, own, right, atol) for calls in asked]
        if any(explained):
            order = -explained.index(True), sum(explained)
            found.setdefault(order, []).append(known.mistake)
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
