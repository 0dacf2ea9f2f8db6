"""When two results count as the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from .results import Arrays


@dataclass(frozen=True)
class Relation:
    """Results are equal when `canonical` of them is.

    Attributes:
        canonical: keeps of the results what every right answer has in common; a RuntimeError where
            their shapes cannot be right.
        atol: how far apart equal results may be: more than rounding where chance has a part.
        tied: results whose gradients mean the same, so that they are fed the same cotangent.
    """

    canonical: Callable[[Arrays], Arrays]
    tied: tuple[str, ...] = ()
    atol: float = 0.0


def _sum_of_biases(arrays: Arrays) -> Arrays:
    _require_pair(arrays)
    rest = {k: v for k, v in arrays.items() if k not in ("b_ih", "b_hh")}
    return rest | {"b_ih + b_hh": arrays["b_ih"] + arrays["b_hh"]}


def _sum_of_forget_blocks(arrays: Arrays) -> Arrays:
    """Torch's second block of four is the forget gate's."""
    _require_pair(arrays)
    b_ih, b_hh = arrays["b_ih"], arrays["b_hh"]
    forget = torch.arange(len(b_ih)) * 4 // len(b_ih) == 1
    return {
        "the sum b_ih + b_hh in the forget block": (b_ih + b_hh).masked_fill(~forget, 0),
        "b_ih outside the forget block": b_ih.masked_fill(forget, 0),
        "b_hh outside the forget block": b_hh.masked_fill(forget, 0),
    }


def _require_pair(arrays: Arrays) -> None:
    """Two biases that can be added without one being spread over the other, which could take any
    amount of memory.

    Raises:
        RuntimeError: their shapes differ, or are not those of a vector.
    """
    first, second = arrays["b_ih"].shape, arrays["b_hh"].shape
    if len(first) != 1 or first != second:
        raise RuntimeError(f"biases of the shapes {tuple(first)} and {tuple(second)}")


def _sorted_rows(arrays: Arrays) -> Arrays:
    """Each result's rows in one order, whatever theirs was."""
    return {
        f"sorted {k}": torch.tensor(sorted(v.tolist()), dtype=v.dtype).reshape(v.shape)
        for k, v in arrays.items()
    }


EQUAL = Relation(lambda arrays: arrays)
MULTISET = Relation(_sorted_rows)
SUM_OF_BIASES = Relation(_sum_of_biases, tied=("b_ih", "b_hh"))
SUM_OF_FORGET_BLOCKS = Relation(_sum_of_forget_blocks)
