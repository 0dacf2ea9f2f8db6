"""Tasks that lessons and exercises share: each one generates as many examples as are asked for."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def flagged_number(
    batch: int, length: int, generator: Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Numbers pass by, one of them is flagged; the answer, at the end, is that number.

    The flag stands in the first half, at a step drawn anew for each sequence. So the number must be
    kept for at least `length - length // 2` further steps, and at most `length - 1`. Answering 0
    every time gives a mean squared error of 1/3.

    Args:
        batch: how many sequences, N.
        length: how many steps each has, T, at least 2.
        generator: where the random numbers come from; torch's own if left out.

    Returns:
        inputs: (T, N, 2); [..., 0] the numbers, uniform in [-1, 1), [..., 1] the flag, 1 at one
            step and 0 elsewhere.
        targets: (N, 1), the flagged numbers.

    Raises:
        ValueError: if length is below 2.
    """
    if length < 2:
        raise ValueError(f"length must be at least 2, got {length}")
    numbers = 2 * torch.rand(length, batch, generator=generator) - 1
    at = torch.randint(length // 2, (batch,), generator=generator)
    flags = torch.nn.functional.one_hot(at, length).T.to(numbers.dtype)
    targets = (numbers * flags).sum(0).unsqueeze(1)
    return torch.stack([numbers, flags], dim=-1), targets
