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
    """The norm of the loss's gradient at each state.

    Args:
        loss: 0-d, computed from the states through a graph that torch has recorded.
        states: h_1 to h_T, each (N, H), as they stand in that graph.

    Returns:
        norms: the Frobenius norm of d loss / d h_t for each t, counting every way on which h_t
            acts on the loss; 0 for a state on which it does not depend. No `.grad` is touched and
            the graph is kept, so that it can be asked again.

    Raises:
        ValueError: the loss depends on none of the states.

    Example:
        >>> import torch
        >>> h_1 = torch.ones(1, 1, requires_grad=True)
        >>> h_2 = 0.5 * h_1
        >>> h_3 = 0.5 * h_2
        >>> state_gradient_norms(h_3.sum(), [h_1, h_2, h_3]).tolist()
        [0.25, 0.5, 1.0]

    Source: Pascanu, Mikolov and Bengio (2013), equation 5.
    """
    raise NotImplementedError


@exercise
def global_norm(grads: Sequence[Tensor]) -> Annotated[Tensor, "", "norm"]:
    """The norm of all gradients together, as if they were one long vector.

    Args:
        grads: at least one tensor, of any shapes.

    Returns:
        norm: the square root of the sum of all squares, a 0-d tensor.

    Example:
        >>> import torch
        >>> global_norm([torch.tensor([3.0]), torch.tensor([[4.0]])])
        tensor(5.)

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

    Example:
        >>> import torch
        >>> grads = [torch.tensor([3.0]), torch.tensor([4.0])]
        >>> clipped, norm = clip_by_global_norm(grads, max_norm=2.5)
        >>> norm.item(), [round(grad.item(), 3) for grad in clipped]  # still 3 to 4
        (5.0, [1.5, 2.0])

    Source: Pascanu, Mikolov and Bengio (2013), algorithm 1; torch.nn.utils.clip_grad_norm_.
    """
    raise NotImplementedError


@exercise
def clip_by_value(grads: Sequence[Tensor], limit: float) -> list[Tensor]:
    """Clip each number of each gradient to the interval from -limit to limit.

    Args:
        grads: tensors of any shapes.
        limit: above 0.

    Returns:
        a list of new tensors.

    Example:
        >>> import torch
        >>> [clipped] = clip_by_value([torch.tensor([3.0, -4.0, 0.5])], limit=1.0)
        >>> clipped.tolist()  # another direction than before
        [1.0, -1.0, 0.5]

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
    """One step of training with the gradients clipped between backward and optimizer step.

    Args:
        model, optimizer, loss_fn, inputs, targets: as in `training_step`.
        max_norm: the largest global norm with which the optimizer steps. Parameters that have no
            gradient are left out.

    Returns:
        loss, norm: the loss before the step and the global norm before clipping, Python floats.

    Example:
        >>> import torch
        >>> model, one = torch.nn.Linear(1, 1, bias=False), torch.ones(1, 1)
        >>> _ = torch.nn.init.zeros_(model.weight)
        >>> sgd, mse = torch.optim.SGD(model.parameters(), lr=0.25), torch.nn.MSELoss()
        >>> clipped_training_step(model, sgd, mse, one, 3 * one, max_norm=2.0)
        (9.0, 6.0)
        >>> round(model.weight.item(), 3)  # 0.25 * 2, not 0.25 * 6
        0.5

    Source: Pascanu, Mikolov and Bengio (2013), algorithm 1.
    """
    raise NotImplementedError
