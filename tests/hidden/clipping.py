"""Hidden spec of the assignment clipping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from rnncourse.grading.spec import Spec


def state_gradient_norms(loss: Tensor, states: list[Tensor]) -> Tensor:
    grads = torch.autograd.grad(loss, states, retain_graph=True, allow_unused=True)
    if all(grad is None for grad in grads):
        raise ValueError("the loss depends on none of the states")
    return torch.stack([loss.new_zeros(()) if grad is None else grad.norm() for grad in grads])


def global_norm(grads: Sequence[Tensor]) -> Tensor:
    return torch.stack([grad.square().sum() for grad in grads]).sum().sqrt()


def clip_by_global_norm(grads: Sequence[Tensor], max_norm: float) -> tuple[list[Tensor], Tensor]:
    norm = global_norm(grads)
    scale = (max_norm / norm).clamp(max=1)
    return [grad * scale for grad in grads], norm


def clip_by_value(grads: Sequence[Tensor], limit: float) -> list[Tensor]:
    return [grad.clamp(-limit, limit) for grad in grads]


def clipped_training_step(
    model: nn.Module,
    optimizer: Optimizer,
    loss_fn: Callable[[Any, Tensor], Tensor],
    inputs: Tensor,
    targets: Tensor,
    max_norm: float,
) -> tuple[float, float]:
    optimizer.zero_grad()
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    with_gradient = [p for p in model.parameters() if p.grad is not None]
    clipped, norm = clip_by_global_norm([p.grad for p in with_gradient], max_norm)
    for parameter, grad in zip(with_gradient, clipped, strict=True):
        parameter.grad = grad
    optimizer.step()
    return loss.item(), norm.item()


SPECS = {
    "state_gradient_norms": Spec(
        state_gradient_norms,
        {
            "shapes": 0.1,
            "a single state": 0.1,
            "a loss on the last state": 0.15,
            "a loss on several states": 0.2,
            "a state that the loss does not use": 0.1,
            "can be asked again": 0.1,
            "leaves every .grad alone": 0.05,
            "a loss without states": 0.05,
            "all together": 0.05,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "global_norm": Spec(
        global_norm,
        {
            "shapes": 0.1,
            "one tensor": 0.2,
            "several tensors": 0.5,
            "all zero": 0.1,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "clip_by_global_norm": Spec(
        clip_by_global_norm,
        {
            "shapes": 0.1,
            "the norm is above max_norm": 0.2,
            "the norm is below max_norm": 0.2,
            "above and below max_norm": 0.2,
            "all zero": 0.1,
            "one tensor": 0.1,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "clip_by_value": Spec(
        clip_by_value,
        {
            "shapes": 0.1,
            "all within the limit": 0.2,
            "beyond the limit on both sides": 0.5,
            "one tensor": 0.1,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
    "clipped_training_step": Spec(
        clipped_training_step,
        {
            "returns two Python floats": 0.1,
            "one step, norm above max_norm": 0.2,
            "one step, norm below max_norm": 0.15,
            "old gradients are cleared": 0.15,
            "several steps": 0.3,
            "odd sizes": 0.05,
            "float64 in, float64 out": 0.05,
        },
    ),
}
