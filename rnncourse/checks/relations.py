"""When two results count as the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .drivers import Arrays


@dataclass(frozen=True)
class Relation:
    """Results are equal when `canonical` of them is.

    Attributes:
        canonical: keeps of the results what every right answer has in common.
        tied: results whose gradients mean the same, so that they are fed the same cotangent.
    """

    canonical: Callable[[Arrays], Arrays]
    tied: tuple[str, ...] = ()


def _sum_of_biases(arrays: Arrays) -> Arrays:
    rest = {k: v for k, v in arrays.items() if k not in ("b_ih", "b_hh")}
    return rest | {"b_ih + b_hh": arrays["b_ih"] + arrays["b_hh"]}


def _sum_of_forget_blocks(arrays: Arrays) -> Arrays:
    """Torch's second block of four is the forget gate's."""
    b_ih, b_hh = arrays["b_ih"].unflatten(0, (4, -1)), arrays["b_hh"].unflatten(0, (4, -1))
    return {
        "the forget block of b_ih + b_hh": b_ih[1] + b_hh[1],
        "the other blocks of b_ih": b_ih[[0, 2, 3]],
        "the other blocks of b_hh": b_hh[[0, 2, 3]],
    }


EQUAL = Relation(lambda arrays: arrays)
SUM_OF_BIASES = Relation(_sum_of_biases, tied=("b_ih", "b_hh"))
SUM_OF_FORGET_BLOCKS = Relation(_sum_of_forget_blocks)
