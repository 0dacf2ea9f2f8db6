"""When two results count as the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

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
    b_ih, b_hh = arrays["b_ih"], arrays["b_hh"]
    forget = torch.arange(len(b_ih)) * 4 // len(b_ih) == 1
    return {
        "the sum b_ih + b_hh in the forget block": (b_ih + b_hh).masked_fill(~forget, 0),
        "b_ih outside the forget block": b_ih.masked_fill(forget, 0),
        "b_hh outside the forget block": b_hh.masked_fill(forget, 0),
    }


EQUAL = Relation(lambda arrays: arrays)
SUM_OF_BIASES = Relation(_sum_of_biases, tied=("b_ih", "b_hh"))
SUM_OF_FORGET_BLOCKS = Relation(_sum_of_forget_blocks)
