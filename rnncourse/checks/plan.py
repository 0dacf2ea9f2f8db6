"""A plan: which cases an exercise is tried on, in which stages, and what counts as equal.

A public check and hidden grading share the plan of an exercise and differ in the numbers: stored
fixtures here, fresh ones from a secret seed there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor

from .drivers import COTANGENT, Driver, driver_of
from .relations import EQUAL, Relation
from .results import Arrays, leaves

Aspect = Literal["shapes", "values", "gradients", "device", "unchanged"]
Axes = tuple[str, ...]
Sizes = dict[str, int]
Draw = Callable[[Sizes, torch.Generator], Tensor]
"""Makes an input of given sizes."""


RECURRENT: tuple[Sizes, ...] = (
    {"T": 5, "N": 2, "I": 3, "H": 4},
    {"T": 3, "N": 5, "I": 4, "H": 2},
    {"T": 11, "N": 2, "I": 1, "H": 1},
    {"T": 2, "N": 1, "I": 3, "H": 3},
)
"""Sizes of fixtures for cells and layers. In the first two all four differ, so that no axis can
pass for another; the others are what a loop or a squeeze may stumble over."""


def random_sizes(generator: torch.Generator) -> list[Sizes]:
    """Sizes like `RECURRENT`, drawn anew."""

    def drawn(low: int, high: int) -> list[int]:
        return (torch.randperm(high - low, generator=generator) + low).tolist()

    different = [dict(zip("TNIH", drawn(2, 8), strict=False)) for _ in range(2)]
    length, batch, width = drawn(10, 15)[0], drawn(2, 6)[0], drawn(2, 6)[0]
    ones = {"T": length, "N": batch, "I": 1, "H": 1}
    return [*different, ones, {"T": 2, "N": 1, "I": width, "H": width}]


def uniform(*axes: str) -> Draw:
    """Multiples of 1/64 below one."""
    return lambda sizes, generator: (
        torch.randint(-58, 59, shape_of(axes, sizes), generator=generator).float() / 64
    )


def integers(*axes: str, low: int = 0, below: str) -> Draw:
    """Whole numbers from `low` to below an extent, such as ids below "V"."""
    return lambda sizes, generator: torch.randint(
        low, extent(below, sizes), shape_of(axes, sizes), generator=generator
    )


def shape_of(axes: Axes, sizes: Sizes) -> list[int]:
    """The lengths of axes, given sizes."""
    return [extent(axis, sizes) for axis in axes]


def extent(axis: str, sizes: Sizes) -> int:
    """The length of an axis such as "N", "4H", "H+I", "T·H", "H_top" or "2"."""
    return sum(math.prod(_factor(factor, sizes) for factor in term) for term in _terms(axis))


@cache
def _terms(axis: str) -> tuple[list[str], ...]:
    return tuple(term.split("·") for term in axis.split("+"))


def _factor(factor: str, sizes: Sizes) -> int:
    if factor.isdigit():
        return int(factor)
    return sizes[factor] if factor in sizes else int(factor[:-1]) * sizes[factor[-1]]


@dataclass(frozen=True)
class Case:
    """One call: a label for people, the driver that makes it and its arrays."""

    label: str
    driver: str
    arrays: Arrays

    @property
    def on_meta_device(self) -> bool:
        """Whether its arrays are on a device that only has shapes."""
        return any(value.is_meta for value in self.arrays.values())


Key = tuple[str, str]
"""Which call: the driver's name and the case's label."""


def key(case: Case) -> Key:
    """Which call a case is."""
    return case.driver, case.label


@dataclass(frozen=True)
class Stage:
    """A question to put to some calls.

    Attributes:
        name: what the stage asks for, in a few words.
        aspect: which side of the results is looked at.
        cases: all must pass;
        instead: or all of these, where there are any: the same calls with a probe in the place of
            the learner's own cell, so that one mistake is not paid for twice.
        after: the stage without which this one has nothing to say.
    """

    name: str
    aspect: Aspect
    cases: tuple[Case, ...]
    instead: tuple[Case, ...] = ()
    after: str = ""


@dataclass(frozen=True)
class Plan:
    """How one exercise is tried.

    Attributes:
        exercise: its name.
        inputs: the axes of every input, such as ("N", "4H"), or what draws it where it is not made
            of numbers between -1 and 1.
        outputs: the axes of every result.
        stages: from fixtures to the stages. Two are tried whole; the others, of odd sizes, only
            for their values.
        relation: what two right answers have in common.
        oracle: torch's own function with the same results, called through the same driver. None
            where torch has none: then answers are stored with the fixtures.
        gradients: whether gradients belong to the exercise.
        sizes: those of the stored fixtures.
        drawn: draws sizes as odd for hidden ones.
        ready_made: what torch has for the same purpose, as dotted names, see `ready_made`: an
            answer that uses it is not complete, and waits for a person when it is graded.
    """

    exercise: str
    inputs: Mapping[str, Axes | Draw]
    outputs: Mapping[str, Axes]
    stages: Callable[..., list[Stage]]
    relation: Relation = EQUAL
    oracle: Callable[..., Any] | None = None
    gradients: bool = True
    sizes: Sequence[Sizes] = RECURRENT
    drawn: Callable[[torch.Generator], list[Sizes]] = random_sizes
    ready_made: tuple[str, ...] = ()

    @property
    def driver(self) -> Driver:
        """The driver of the exercise itself."""
        return driver_of(self.exercise)

    @property
    def results(self) -> list[str]:
        """The names of its results, in order."""
        return leaves(self.driver.structure)

    def fixture(self, sizes: Sizes, generator: torch.Generator) -> Arrays:
        """Inputs, and cotangents for the results, of the given sizes.

        Values are multiples of 1/64 below one: away from the flat ends of tanh, exact in every
        float dtype, and short when stored.
        """
        arrays = {
            k: draw(sizes, generator) if callable(draw) else uniform(*draw)(sizes, generator)
            for k, draw in self.inputs.items()
        }
        if not self.gradients:
            return arrays
        cotangents = {
            k: _not_nothing(uniform(*self.outputs[k])(sizes, generator)) for k in self.results
        }
        for name in self.relation.tied:
            cotangents[name] = cotangents[self.relation.tied[0]]
        return arrays | {COTANGENT + k: v for k, v in cotangents.items()}


def _not_nothing(cotangent: Tensor) -> Tensor:
    """A single number that is zero would hide every wrong gradient."""
    return cotangent if cotangent.ndim else cotangent.where(cotangent != 0, 0.5)


def only(arrays: Arrays, *names: str) -> Arrays:
    """The inputs with all but these set to zero, and no gradients asked for."""
    inputs = without_cotangents(arrays)
    return {k: v if k in names else torch.zeros_like(v) for k, v in inputs.items()}


def without_cotangents(arrays: Arrays) -> Arrays:
    """The inputs alone, for a call without gradients."""
    return {k: v for k, v in arrays.items() if not k.startswith(COTANGENT)}


def in_float64(arrays: Arrays, factor: float) -> Arrays:
    """The inputs times a factor in float64, which no smaller dtype can hold, and no gradients."""
    return {
        k: v.double() * factor if v.is_floating_point() else v
        for k, v in without_cotangents(arrays).items()
    }


def to_meta(arrays: Arrays) -> Arrays:
    """The inputs on a device that only has shapes. Numbers without axes stay: a driver passes them
    on as Python floats."""
    return {k: v.to("meta") if v.ndim else v for k, v in without_cotangents(arrays).items()}
