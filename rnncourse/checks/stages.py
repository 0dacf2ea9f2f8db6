"""Stages that plans are made of, from the shapes to the inputs that must stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from .plan import Aspect, Case, Fixture, Stage, in_float64, to_meta
from .results import Arrays

SHAPES = "shapes"
WITHIN_TANH, BEYOND_ONE = 29 / 30, 29 / 10
"""Factors of the float64 inputs, for cells and for functions that only move numbers."""

LARGE = 30.0
"""A factor of inputs that makes sums of products of them several hundred."""

Given = Arrays | Fixture
"""Inputs, and cotangents where gradients are asked for."""
Call = tuple[str, Given] | Case
"""A label for people, and what a call is made on."""
Stages = Callable[..., list[Stage]]


def stage(
    title: str,
    *calls: Call,
    aspect: Aspect = "values",
    after: str = SHAPES,
    driver: str = "",
    weight: float = 0.0,
) -> Stage:
    """A stage on these calls.

    Args:
        driver: which of the plan's drivers makes them; "" for the exercise's own.
        weight: see `Stage`.
    """
    cases = tuple(replace(_case(call), driver=driver) for call in calls)
    return Stage(title, aspect, cases, after=after, weight=weight)


def _case(call: Call) -> Case:
    if isinstance(call, Case):
        return call
    label, given = call
    if isinstance(given, Fixture):
        return Case(label, given.inputs, given.cotangents)
    return Case(label, given)


def whole(first: Fixture, second: Fixture) -> list[Call]:
    """The two fixtures by which mistakes are recognised."""
    return [
        Case(f"fixture {k}", fixture.inputs, fixture.cotangents, whole=True)
        for k, fixture in enumerate((first, second), start=1)
    ]


def shapes(first: Fixture, second: Fixture, weight: float = 0.1) -> Stage:
    """The stage that opens a plan; without it the others have nothing to say."""
    return stage(SHAPES, *whole(first, second), aspect="shapes", after="", weight=weight)


def gradients(first: Fixture, second: Fixture, after: str, weight: float) -> Stage:
    """The gradients of what is right."""
    calls = whole(first, second)
    return stage("gradients", *calls, aspect="gradients", after=after, weight=weight)


def each_alone(terms: Mapping[str, tuple[Arrays, float]], after: str = SHAPES) -> list[Stage]:
    """A stage for each term alone.

    Args:
        terms: by title: the inputs that leave only this term, and the stage's weight.
    """
    return [
        stage(title, (title, arrays), after=after, weight=weight)
        for title, (arrays, weight) in terms.items()
    ]


def odd_sizes(
    fixtures: Sequence[Fixture], after: str, weight: float = 0.05, driver: str = ""
) -> Stage:
    """The fixtures behind the first two."""
    calls = [(f"odd sizes {k}", f.inputs) for k, f in enumerate(fixtures[2:], start=1)]
    return stage("odd sizes", *calls, after=after, weight=weight, driver=driver)


def float64(arrays: Arrays, after: str, weight: float = 0.05, driver: str = "") -> Stage:
    """Inputs that no smaller dtype can hold."""
    title = "float64 in, float64 out"
    return stage(title, ("float64", arrays), after=after, weight=weight, driver=driver)


def finite_at_large_inputs(
    fixture: Fixture, after: str, weight: float = 0.05, driver: str = ""
) -> Stage:
    """Inputs so large that exp of a sum of them is infinite: for functions with exp, a logarithm or
    a division, which may be written so that this does no harm."""
    large = {k: v * LARGE if v.is_floating_point() else v for k, v in fixture.inputs.items()}
    call = ("large inputs", large)
    return stage("finite at large inputs", call, after=after, weight=weight, driver=driver)


def on_the_device(fixture: Fixture, after: str, driver: str = "") -> Stage:
    """Inputs on another device. No grader has one, so it is worth no points."""
    call = ("another device", to_meta(fixture))
    return stage("stays on the device", call, aspect="device", after=after, driver=driver)


def unchanged(first: Fixture, second: Fixture, after: str = SHAPES) -> Stage:
    """Only the learner's own process can attest it, so it is worth no points."""
    calls = whole(first, second)
    return stage("leaves its inputs unchanged", *calls, aspect="unchanged", after=after)


def endings(fixtures: Sequence[Fixture], after: str, factor: float = WITHIN_TANH) -> list[Stage]:
    """The stages that close the plan of a function of float tensors.

    Args:
        after: the stage of the values, without which there is no more to learn.
        factor: what the inputs are multiplied by in float64.
    """
    first, second, *_ = fixtures
    return [
        odd_sizes(fixtures, after),
        float64(in_float64(first, factor), after),
        on_the_device(first, after),
        unchanged(first, second),
    ]


def standard(values: str = "values", factor: float = WITHIN_TANH, gradient: bool = True) -> Stages:
    """The stages of any function of float tensors.

    Args:
        values: what the stage of the values asks for.
        factor: see `endings`.
        gradient: whether gradients belong to the exercise.
    """

    def stages(*fixtures: Fixture) -> list[Stage]:
        first, second, *_ = fixtures
        through = [gradients(first, second, values, weight=0.2)] if gradient else []
        return [
            shapes(first, second),
            stage(values, *whole(first, second), weight=0.6),
            *through,
            *endings(fixtures, values, factor),
        ]

    return stages


def cell(
    terms: Mapping[str, tuple[Callable[[Fixture], Arrays], float]], batched: str = "xhc"
) -> Stages:
    """The stages of a step on a batch.

    Args:
        terms: by title, for each part of the formula: what leaves only that part of the inputs, and
            the stage's weight.
        batched: the inputs whose first axis is the batch.
    """

    def stages(*fixtures: Fixture) -> list[Stage]:
        first, second, *_ = fixtures
        values = "all terms together"
        alone = {title: (keep(first), weight) for title, (keep, weight) in terms.items()}
        one = {k: v[:1] if k in batched else v for k, v in first.inputs.items()}
        return [
            shapes(first, second),
            *each_alone(alone),
            stage(values, *whole(first, second), weight=0.15),
            gradients(first, second, values, weight=0.15),
            stage("a batch of one", ("a batch of one", one), after=values, weight=0.05),
            finite_at_large_inputs(first, values),
            *endings(fixtures, values),
        ]

    return stages


def layer(*states: str) -> Stages:
    """The stages of a layer over x (T, N, I) with these states (N, H) before the first step."""

    def stages(*fixtures: Fixture) -> list[Stage]:
        first, second, *_ = fixtures
        values, inputs = "whole sequences", first.inputs
        one_step = inputs | {"x": inputs["x"][:1]}
        one = inputs | {"x": inputs["x"][:, :1]} | {k: inputs[k][:1] for k in states}
        return [
            shapes(first, second),
            stage("a sequence of one step", ("one step", one_step), weight=0.2),
            stage(values, *whole(first, second), weight=0.35),
            gradients(first, second, values, weight=0.2),
            stage("a batch of one", ("a batch of one", one), after=values, weight=0.05),
            *endings(fixtures, values),
        ]

    return stages
