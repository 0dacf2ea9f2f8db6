"""Stages that plans are made of, from the shapes to the inputs that must stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .drivers import PROBE, has_driver
from .plan import Aspect, Case, Stage, in_float64, to_meta, without_cotangents
from .results import Arrays

SHAPES = "shapes"
WITHIN_TANH, BEYOND_ONE = 29 / 30, 29 / 10
"""Factors of the float64 inputs, for cells and for functions that only move numbers."""

Call = tuple[str, Arrays]
"""A label for people, and the arrays of a case."""


def stage(
    title: str, exercise: str, *calls: Call, aspect: Aspect = "values", after: str = SHAPES
) -> Stage:
    """A stage on these calls, or on the same ones with a probe where the exercise has one."""
    plain, probed = (
        tuple(Case(label, driver, arrays) for label, arrays in calls)
        for driver in (exercise, exercise + PROBE)
    )
    return Stage(title, aspect, plain, probed if has_driver(exercise + PROBE) else (), after)


def fixture_calls(first: Arrays, second: Arrays) -> tuple[Call, Call]:
    """The two fixtures by which mistakes are recognised."""
    return ("fixture 1", first), ("fixture 2", second)


def shapes(exercise: str, first: Arrays, second: Arrays) -> Stage:
    """The stage that opens a plan; without it the others have nothing to say."""
    return stage(SHAPES, exercise, *fixture_calls(first, second), aspect="shapes", after="")


def each_alone(exercise: str, terms: Mapping[str, Arrays], after: str = SHAPES) -> list[Stage]:
    """A stage for each term alone."""
    return [stage(title, exercise, (title, arrays), after=after) for title, arrays in terms.items()]


def odd_sizes(exercise: str, fixtures: tuple[Arrays, ...], after: str) -> Stage:
    """The fixtures behind the first two."""
    calls = [(f"odd sizes {k}", without_cotangents(f)) for k, f in enumerate(fixtures[2:], start=1)]
    return stage("odd sizes", exercise, *calls, after=after)


def unchanged(exercise: str, first: Arrays, second: Arrays, after: str = SHAPES) -> Stage:
    """Only the learner's own process can attest it, so it is worth no points."""
    calls = fixture_calls(first, second)
    return stage("leaves its inputs unchanged", exercise, *calls, aspect="unchanged", after=after)


def endings(
    exercise: str, fixtures: tuple[Arrays, ...], after: str, factor: float = WITHIN_TANH
) -> list[Stage]:
    """The stages that close the plan of a function of float tensors.

    Args:
        after: the stage of the values, without which there is no more to learn.
        factor: what the inputs are multiplied by in float64.
    """
    first, second, *_ = fixtures
    double, meta = in_float64(first, factor), to_meta(first)
    return [
        odd_sizes(exercise, fixtures, after),
        stage("float64 in, float64 out", exercise, ("float64", double), after=after),
        stage(
            "stays on the device", exercise, ("another device", meta), aspect="device", after=after
        ),
        unchanged(exercise, first, second),
    ]


def cell(
    exercise: str, terms: Mapping[str, Callable[[Arrays], Arrays]], batched: str = "xhc"
) -> Callable[..., list[Stage]]:
    """The stages of a step on a batch.

    Args:
        terms: a title for each part of the formula, and what leaves only that part of the inputs.
        batched: the inputs whose first axis is the batch.
    """

    def stages(*fixtures: Arrays) -> list[Stage]:
        first, second, *_ = fixtures
        values, calls = "all terms together", fixture_calls(first, second)
        alone = {title: keep(first) for title, keep in terms.items()}
        one = {k: v[:1] if k in batched else v for k, v in without_cotangents(first).items()}
        return [
            shapes(exercise, first, second),
            *each_alone(exercise, alone),
            stage(values, exercise, *calls),
            stage("gradients", exercise, *calls, aspect="gradients", after=values),
            stage("a batch of one", exercise, ("a batch of one", one), after=values),
            *endings(exercise, fixtures, values),
        ]

    return stages


def layer(exercise: str, *states: str) -> Callable[..., list[Stage]]:
    """The stages of a layer over x (T, N, I) with these states (N, H) before the first step."""

    def stages(*fixtures: Arrays) -> list[Stage]:
        first, second, *_ = fixtures
        values, calls = "whole sequences", fixture_calls(first, second)
        inputs = without_cotangents(first)
        one_step = inputs | {"x": inputs["x"][:1]}
        one = inputs | {"x": inputs["x"][:, :1]} | {k: inputs[k][:1] for k in states}
        return [
            shapes(exercise, first, second),
            stage("a sequence of one step", exercise, ("one step", one_step)),
            stage(values, exercise, *calls),
            stage("gradients", exercise, *calls, aspect="gradients", after=values),
            stage("a batch of one", exercise, ("a batch of one", one), after=values),
            *endings(exercise, fixtures, values),
        ]

    return stages
