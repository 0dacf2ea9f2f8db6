"""Training as the notebooks do it: a loop, a progress bar, the losses back."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from ._device import DeviceError, device, precise_dtype, use_device
from ._exercise import find
from .clipping import clipped_training_step

__all__ = ["DeviceError", "device", "fit", "precise_dtype", "progress", "use_device"]

Batch = tuple[Tensor, Tensor]


def fit(
    model: nn.Module,
    draw: Callable[[], Batch],
    loss_fn: Callable[[Tensor, Tensor], Tensor],
    steps: int,
    lr: float = 0.01,
    max_norm: float = 1.0,
) -> list[float]:
    """Train `model` with Adam on a fresh batch at every step, with a progress bar. Steps are the
    learner's `clipped_training_step`, where it is filled in.

    Args:
        model: called on the inputs; its result goes to `loss_fn` with the targets.
        draw: gives a batch, (inputs, targets), on the device of the model.
        loss_fn: (predictions, targets) -> a 0-d loss.
        steps: how many batches.
        lr: Adam's learning rate.
        max_norm: the gradients are scaled down together to this norm when theirs is larger.

    Returns:
        The loss of every step.

    Example:
        >>> import torch
        >>> model, x = torch.nn.Linear(1, 1), torch.ones(8, 1)
        >>> losses = fit(model, lambda: (x, 4 * x), torch.nn.MSELoss(), steps=200, lr=0.1)
        >>> len(losses), losses[-1] < 0.1 < losses[0]
        (200, True)
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses: list[float] = []
    for _ in progress(steps, lambda: f"loss {losses[-1]:.4f}" if losses else ""):
        losses.append(_step(model, optimizer, loss_fn, *draw(), max_norm))
    return losses


def _step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss_fn: Callable[[Tensor, Tensor], Tensor],
    inputs: Tensor,
    targets: Tensor,
    max_norm: float,
) -> float:
    """The learner's own step; torch's until there is one, for later notebooks can come first."""
    if find("clipped_training_step").filled:
        return clipped_training_step(model, optimizer, loss_fn, inputs, targets, max_norm)[0]
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    return float(loss.item())


def progress(total: int, status: Callable[[], str]) -> Iterator[int]:
    """Count from 0 to `total` - 1 beside a progress bar that shows `status()`.

    Example:
        >>> loss = 8.0
        >>> for step in progress(3, lambda: f"loss {loss:.4f}"):
        ...     loss /= 2
        >>> loss
        1.0
    """
    if "IPython" in sys.modules:
        from IPython import get_ipython

        if get_ipython() is not None:
            yield from _notebook_progress(total, status)
            return
    from rich.progress import Progress

    with Progress(transient=True) as bar:
        task = bar.add_task("", total=total)
        for i in range(total):
            yield i
            bar.update(task, advance=1, description=status())


def _notebook_progress(total: int, status: Callable[[], str]) -> Iterator[int]:
    """One line of HTML, written again at most ten times a second."""
    from IPython.display import display

    def shown(done: int) -> dict[str, str]:
        line = f"{done} of {total}  {status()}"
        bar = f"<progress value='{done}' max='{total}' aria-label='training'></progress>"
        return {"text/plain": line, "text/html": f"<div>{bar} {line}</div>"}

    handle = display(shown(0), raw=True, display_id=True)
    last = time.monotonic()
    for i in range(total):
        yield i
        if handle and time.monotonic() - last > 0.1:
            handle.update(shown(i + 1), raw=True)
            last = time.monotonic()
    if handle:
        handle.update(shown(total), raw=True)
