"""How thorough the tests are that take long: they kill, damage or run notebooks again and again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

from rnncourse._exercise import CHAPTERS

LONG = "RNNCOURSE_LONG"
"""Set to 1 for all that they can do; a part of it is done otherwise."""

SOME = ("shapes", "lstm", "models")
"""The chapters whose exercises are graded in any case: their results are whole numbers, tensors
and drawn at random."""
NOTEBOOKS = ("shapes", "lstm")
"""The chapters whose notebooks are executed in any case; those of models take half a minute."""


Item = TypeVar("Item")


def full() -> bool:
    """Whether everything is to be tried."""
    return os.environ.get(LONG) == "1"


def share(number: int) -> int:
    """So many of a number of trials: all of them, or a tenth."""
    return number if full() else max(1, number // 10)


def some(items: Sequence[Item]) -> Sequence[Item]:
    """All of several things, or every third."""
    return items if full() else items[::3]


def chapters() -> tuple[str, ...]:
    """Those whose exercises are all to be graded."""
    return CHAPTERS if full() else SOME


def notebooks() -> tuple[str, ...]:
    """Those whose notebooks are to be executed."""
    return CHAPTERS if full() else NOTEBOOKS
