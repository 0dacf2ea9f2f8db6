"""Exercises: a first network that learns.

Shapes: T length, N batch, I input size, H hidden size, D features of a prediction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from torch import Tensor, nn
from torch.optim import Optimizer

from ._exercise import exercise


@exercise
def joined_rnn_cell(
    x: Annotated[Tensor, "N I"],
    h: Annotated[Tensor, "N H"],
    w: Annotated[Tensor, "H H+I"],
    b: Annotated[Tensor, "H"],
) -> Annotated[Tensor, "N H", "h'"]:
    """One step of a recurrent network with a single matrix.

        h' = tanh(W [h; x] + b)

    It computes what `rnn_cell` does with W = [W_hh, W_ih] and b = b_ih + b_hh. It keeps the dtype
    and device of its inputs, leaves them unchanged, and lets gradients flow to all of them.

    Args:
        x: input at this step.
        h: hidden state before it.
        w: the first H columns belong to h, the last I to x.
        b: the bias.

    Returns:
        h': the state after the step.

    Example:
        >>> import torch
        >>> x, h = torch.tensor([[1.0]]), torch.tensor([[2.0]])
        >>> after = joined_rnn_cell(x, h, torch.tensor([[-1.0, 3.0]]), torch.zeros(1))
        >>> round(after.item(), 3)  # tanh(-1 * 2 + 3 * 1)
        0.762

    Source: Elman (1990), with the two matrices written side by side.
    """
    raise NotImplementedError


@exercise
def training_step(
    model: nn.Module,
    optimizer: Optimizer,
    loss_fn: Callable[[Any, Tensor], Tensor],
    inputs: Tensor,
    targets: Tensor,
) -> float:
    """One step of training: zero the gradients, forward, backward, optimizer step.

    Args:
        model: what is trained; model(inputs) gives predictions.
        optimizer: holds the model's parameters.
        loss_fn: (predictions, targets) -> a 0-d loss.
        inputs, targets: one batch.

    Returns:
        the loss before the step, a Python float.

    Example:
        >>> import torch
        >>> model, one = torch.nn.Linear(1, 1, bias=False), torch.ones(1, 1)
        >>> _ = torch.nn.init.zeros_(model.weight)
        >>> sgd, mse = torch.optim.SGD(model.parameters(), lr=0.25), torch.nn.MSELoss()
        >>> [training_step(model, sgd, mse, one, 3 * one) for _ in range(3)]
        [9.0, 2.25, 0.5625]

    Source: "Optimizing Model Parameters" in torch's tutorials.
    """
    raise NotImplementedError


@exercise
def free_run(
    step: Callable[[Tensor, Any], tuple[Tensor, Any]],
    x: Annotated[Tensor, "N D"],
    state: Any,
    length: int,
) -> Annotated[Tensor, "T N D", "predictions"]:
    """Let a trained network go on by itself: each prediction is the next input.

    Args:
        step: (x, state) -> (y, state): one step of the network; y (N, D) as x.
        x: the first input.
        state: the state before it; a tensor, or a tuple of tensors for an LSTM. Only `step` looks
            inside.
        length: how many predictions, at least 1.

    Returns:
        predictions: in order; T is length.

    Example:
        >>> import torch
        >>> def step(x, state):
        ...     return x + state, x
        >>> free_run(step, torch.ones(1, 1), torch.ones(1, 1), length=5).flatten().tolist()
        [2.0, 3.0, 5.0, 8.0, 13.0]

    Source: Graves (2013), "Generating Sequences With Recurrent Neural Networks".
    """
    raise NotImplementedError
