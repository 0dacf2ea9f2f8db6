"""How thorough the tests are that kill and damage again and again."""

from __future__ import annotations

import os

LONG = "RNNCOURSE_LONG"
"""Set to 1 for all of them; a tenth is run otherwise."""


def full() -> bool:
    """Whether everything is to be tried."""
    return os.environ.get(LONG) == "1"


def share(number: int) -> int:
    """So many of a number of trials: all of them, or a tenth."""
    return number if full() else max(1, number // 10)
