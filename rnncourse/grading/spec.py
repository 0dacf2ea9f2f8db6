"""What the instructor's side knows of an exercise and a learner's does not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ..checks import run
from ..checks.drivers import Outcome
from ..checks.judge import Key, Mistake, Signature, fingerprint, key
from ..checks.plan import Plan, Stage
from ..errors import CourseError


class SpecError(CourseError):
    """A hidden spec is missing or does not fit the exercise. The message says which and why."""


@dataclass(frozen=True)
class Spec:
    """A hidden spec of one exercise.

    Attributes:
        reference: a right implementation.
        shares: what part of the points each stage is worth; they add up to 1. A stage that only
            the learner's own process can attest is worth nothing.
        ready_made: what torch has for the same purpose, as dotted names: an answer that uses it
            waits for a person.
    """

    reference: Callable[..., Any]
    shares: Mapping[str, float]
    ready_made: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """An exercise with secret inputs, and what is right and known to be wrong on them."""

    plan: Plan
    spec: Spec
    stages: tuple[Stage, ...]
    expected: dict[Key, Outcome]
    mistakes: tuple[tuple[Mistake, Signature], ...]


def prepare(
    plan: Plan,
    spec: Spec,
    known: list[tuple[Mistake, Callable[..., Any]]],
    generator: torch.Generator,
) -> Trial:
    """Draw secret inputs for an exercise and run the reference and the known mistakes on them.

    Sizes are drawn too. In the first two fixtures all differ, so that no axis can pass for another.
    """
    fixtures = [plan.fixture(sizes, generator) for sizes in plan.drawn(generator)]
    stages = tuple(stage for stage in plan.stages(*fixtures) if stage.aspect != "device")
    if set(spec.shares) != {s.name for s in stages if s.aspect != "unchanged"}:
        raise SpecError(f"the spec of {plan.exercise} does not share its points by its stages.")
    if not math.isclose(sum(spec.shares.values()), 1):
        raise SpecError(f"the shares of {plan.exercise} do not add up to 1.")
    cases = {key(case): case for s in stages for case in (*s.cases, *s.instead)}
    expected = run(spec.reference, cases)
    whole = {k: case for k, case in cases.items() if k[1].startswith("fixture")}
    mistakes = tuple(
        (mistake, signature(plan, run(function, whole), expected)) for mistake, function in known
    )
    return Trial(plan, spec, stages, expected, mistakes)


def signature(
    plan: Plan, outcomes: Mapping[Key, Outcome], expected: Mapping[Key, Outcome]
) -> Signature:
    """The numbers that tell a mistake, by call; only drivers in whose every call it shows."""
    prints = {k: fingerprint(plan, o, expected[k]) for k, o in outcomes.items()}
    blind = {k[0] for k, arrays in prints.items() if not arrays}
    return {k: arrays for k, arrays in prints.items() if k[0] not in blind}
