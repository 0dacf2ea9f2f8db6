"""Exercises: gradients that vanish or explode, and clipping (Pascanu, Mikolov and Bengio, 2013).

Shapes: T length, N batch, H hidden size. Gradients come as lists of tensors of any shapes, one a
parameter; functions leave them unchanged and return new ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from torch import Tensor, nn
from torch.optim import Optimizer

from ._exercise import exercise


@exercise
def state_gradient_norms(loss: Tensor, states: list[Tensor]) -> Annotated[Tensor, "T", "norms"]:
    """How much of the loss's gradient reaches each state.

    Args:
        loss: 0-d, computed from the states through a graph that torch has recorded.
        states: h_1 to h_T, each (N, H), as they stand in that graph.

    Returns:
        norms: the Frobenius norm of d loss / d h_t for each t, counting every way on which h_t
            acts on the loss; 0 for a state on which it does not depend. No `.grad` is touched and
            the graph is kept, so that it can be asked again.

    Raises:
        ValueError: the loss depends on none of the states.

    Source: Pascanu, Mikolov and Bengio (2013), equation 5.
    """
    raise NotImplementedError


@exercise
def global_norm(grads: Sequence[Tensor]) -> Annotated[Tensor, "", "norm"]:
    """The length of all gradients together, as if they were one long vector.

    Args:
        grads: at least one tensor, of any shapes.

    Returns:
        norm: the square root of the sum of all squares, a 0-d tensor.

    Source: torch.nn.utils.clip_grad_norm_ returns it.
    """
    raise NotImplementedError


@exercise
def clip_by_global_norm(grads: Sequence[Tensor], max_norm: float) -> tuple[list[Tensor], Tensor]:
    """Scale all gradients together, so that their common norm is at most `max_norm`.

    All are multiplied by min(1, max_norm / norm): the direction stays. Torch divides by
    norm + 1e-6; that is right here, too. Gradients that are all zero stay zero.

    Args:
        grads: at least one tensor, of any shapes.
        max_norm: above 0.

    Returns:
        clipped, norm: a list of new tensors, and `global_norm` before clipping.

    Source: Pascanu, Mikolov and Bengio (2013), algorithm 1; torch.nn.utils.clip_grad_norm_.
    """
    raise NotImplementedError


@exercise
def clip_by_value(grads: Sequence[Tensor], limit: float) -> list[Tensor]:
    """Cut each number of each gradient to the interval from -limit to limit.

    Args:
        grads: tensors of any shapes.
        limit: above 0.

    Returns:
        a list of new tensors.

    Source: torch.nn.utils.clip_grad_value_.
    """
    raise NotImplementedError


@exercise
def clipped_training_step(
    model: nn.Module,
    optimizer: Optimizer,
    loss_fn: Callable[[Any, Tensor], Tensor],
    inputs: Tensor,
    targets: Tensor,
    max_norm: float,
) -> tuple[float, float]:
    """One step of training with clipping: between backward and step.

    Args:
        model, optimizer, loss_fn, inputs, targets: as in `training_step`.
        max_norm: the largest global norm with which the optimizer steps. Parameters that have no
            gradient are left out.

    Returns:
        loss, norm: the loss before the step and the global norm before clipping, Python floats.

    Source: Pascanu, Mikolov and Bengio (2013), algorithm 1.
    """
    raise NotImplementedError
