"""Secret random numbers, drawn from a class's seed."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

SEED_BITS = 256
_WORDS = 624
_SEEDED = slice(8, 16)  # two int32: the numbers left before the next block, and "is seeded"
_NEXT = slice(16, 24)  # uint64: the place in the block
_BLOCK = slice(24, 24 + 8 * _WORDS)  # the words, as uint64


def generator(seed: int, *purpose: str) -> torch.Generator:
    """A torch generator for one purpose, such as an exercise's name. Other purposes tell nothing
    about it.

    `manual_seed` uses 32 bits of a seed, which can all be tried. So the whole state of the
    generator is filled here, with the HMAC-SHA256 of the purpose under the seed, which SHAKE256
    makes as long.

    Example:
        generator(seed, "lstm_cell", digest)
    """
    import torch  # who only keeps a seed needs none

    message = "\0".join(purpose).encode("utf-8", "surrogatepass")
    digest = hmac.digest(seed.to_bytes(SEED_BITS // 8, "big"), message, hashlib.sha256)
    words = np.frombuffer(hashlib.shake_256(digest).digest(4 * _WORDS), "<u4")
    drawn = torch.Generator()
    state = drawn.get_state()
    raw = state.numpy()
    raw[_SEEDED] = _bytes(np.ones(2, np.int32))
    raw[_NEXT] = 0
    raw[_BLOCK] = _bytes(words.astype(np.uint64))
    drawn.set_state(state)
    return drawn


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.frombuffer(values.tobytes(), np.uint8)
