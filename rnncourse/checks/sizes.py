"""Sizes of inputs, and inputs of given sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from .._axes import Axes

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
