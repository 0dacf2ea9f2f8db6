"""A plan: which cases an exercise is tried on, in which stages, and what counts as equal.

A public check and hidden grading share the plan of an exercise and differ in the numbers: stored
fixtures here, fresh ones from a secret seed there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from .drivers import COTANGENT, DRIVERS, Arrays, Driver, leaves
from .relations import EQUAL, Relation

Aspect = Literal["shapes", "values", "gradients", "device", "unchanged"]
Axes = tuple[str, ...]
Sizes = dict[str, int]


@dataclass(frozen=True)
class Case:
    """One call: a label for people, the driver that makes it and its arrays."""

    label: str
    driver: str
    arrays: Arrays

    @property
    def is_elsewhere(self) -> bool:
        """Whether its arrays are on a device that only has shapes."""
        return any(value.is_meta for value in self.arrays.values())


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
        inputs, outputs: the axes of every input and result, such as ("N", "4H").
        stages: from fixtures to the stages. Two are tried whole; the others, of odd sizes, only
            for their values.
        relation: what two right answers have in common.
        oracle: torch's own function with the same results, called through the same driver. None
            where torch has none: then answers are stored with the fixtures.
        gradients: whether gradients belong to the exercise.
    """

    exercise: str
    inputs: dict[str, Axes]
    outputs: dict[str, Axes]
    stages: Callable[..., list[Stage]]
    relation: Relation = EQUAL
    oracle: Callable[..., Any] | None = None
    gradients: bool = True

    @property
    def driver(self) -> Driver:
        return DRIVERS[self.exercise]

    @property
    def results(self) -> list[str]:
        return leaves(self.driver.structure)

    def fixture(self, sizes: Sizes, generator: torch.Generator) -> Arrays:
        """Inputs, and cotangents for the results, of the given sizes.

        Values are multiples of 1/64 below one: away from the flat ends of tanh, exact in every
        float dtype, and short when stored.
        """
        arrays = {k: _draw(axes, sizes, generator) for k, axes in self.inputs.items()}
        if not self.gradients:
            return arrays
        cotangents = {k: _draw(self.outputs[k], sizes, generator) for k in self.results}
        for name in self.relation.tied:
            cotangents[name] = cotangents[self.relation.tied[0]]
        return arrays | {COTANGENT + k: v for k, v in cotangents.items()}


def extent(axis: str, sizes: Sizes) -> int:
    """The length of an axis such as "N", "4H" or "H+I"."""
    return sum(int(term[:-1] or 1) * sizes[term[-1]] for term in axis.split("+"))


def only(arrays: Arrays, *names: str) -> Arrays:
    """The inputs with all but these set to zero, and no gradients asked for."""
    inputs = without_cotangents(arrays)
    return {k: v if k in names else torch.zeros_like(v) for k, v in inputs.items()}


def without_cotangents(arrays: Arrays) -> Arrays:
    return {k: v for k, v in arrays.items() if not k.startswith(COTANGENT)}


def in_float64(arrays: Arrays, factor: float) -> Arrays:
    """The inputs times a factor in float64, which no smaller dtype can hold, and no gradients."""
    return {k: v.double() * factor for k, v in without_cotangents(arrays).items()}


def elsewhere(arrays: Arrays) -> Arrays:
    """The inputs on a device that only has shapes. Numbers without axes stay: a driver passes them
    on as Python floats."""
    return {k: v.to("meta") if v.ndim else v for k, v in without_cotangents(arrays).items()}


def _draw(axes: Axes, sizes: Sizes, generator: torch.Generator) -> Tensor:
    shape = [extent(axis, sizes) for axis in axes]
    return torch.randint(-58, 59, shape, generator=generator).float() / 64
