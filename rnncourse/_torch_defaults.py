"""Where torch makes a tensor, and of which dtype, if nothing is said: on the CPU, float32."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def torch_defaults() -> Iterator[None]:
    """Have torch's own defaults for a while, whatever a notebook has set.

    A function is not wrong because of torch.set_default_device or torch.set_default_dtype.

    Example:
        >>> torch.set_default_dtype(torch.float64)
        >>> with torch_defaults():
        ...     torch.zeros(3).dtype
        torch.float32
        >>> torch.zeros(3).dtype
        torch.float64
        >>> torch.set_default_dtype(torch.float32)
    """
    # torch.get_default_device came with torch 2.3, and the course also runs on 2.1.
    dtype, device = torch.get_default_dtype(), torch.empty(0).device
    on_cpu = contextlib.nullcontext() if device.type == "cpu" else torch.device("cpu")
    torch.set_default_dtype(torch.float32)
    try:
        with on_cpu:
            yield
    finally:
        torch.set_default_dtype(dtype)
