"""Hidden spec of the assignment training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from rnncourse.grading.spec import Spec


def joined_rnn_cell(x: Tensor, h: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return torch.tanh(torch.cat([h, x], dim=1) @ w.T + b)


def training_step(
    model: nn.Module,
    optimizer: Optimizer,
    loss_fn: Callable[[Any, Tensor], Tensor],
    inputs: Tensor,
    targets: Tensor,
) -> float:
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()


def free_run(
    step: Callable[[Tensor, Any], tuple[Tensor, Any]], x: Tensor, state: Any, length: int
) -> Tensor:
    predictions = []
    for _ in range(length):
        x, state = step(x, state)
        predictions.append(x)
    return torch.stack(predictions)


SPECS = {
    "joined_rnn_cell": Spec(
        joined_rnn_cell,
        {
            "shapes": 0.1,
            "only the bias": 0.1,
            "only x and its columns": 0.15,
            "only h and its columns": 0.15,
            "all terms together": 0.2,
            "gradients": 0.15,
            "a batch of one": 0.05,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "training_step": Spec(
        training_step,
        {
            "shapes": 0.1,
            "one step": 0.2,
            "old gradients do not count": 0.2,
            "several steps": 0.25,
            "another optimizer": 0.1,
            "a batch of one": 0.05,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "free_run": Spec(
        free_run,
        {
            "shapes": 0.15,
            "one prediction": 0.15,
            "whole runs": 0.4,
            "a state that is a tuple": 0.15,
            "a batch of one": 0.05,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
}
