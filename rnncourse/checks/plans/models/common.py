"""What the exercises of `rnncourse.models` draw and watch in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor

from ...sizes import Sizes

Arguments = dict[str, Any]


def number(low: Callable[[Sizes], int], below: Callable[[Sizes], int]) -> Any:
    """Draws one whole number between limits that depend on the sizes."""
    return lambda sizes, generator: torch.randint(low(sizes), below(sizes), (), generator=generator)


def different(count: int, low: int, high: int, generator: Generator) -> list[int]:
    """Whole numbers from `low` to below `high`, no two of them equal."""
    found: list[int] = (torch.randperm(high - low, generator=generator)[:count] + low).tolist()
    return found


def pass_on(changed: bool, array: Tensor) -> None:
    """Let a change of the lists that were made of an array show in the array."""
    if changed:
        array += 1
