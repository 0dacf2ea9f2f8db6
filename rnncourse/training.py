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
    """One step of training: old gradients away, forward, backward, step.

    Args:
        model: what is trained; model(inputs) gives predictions.
        optimizer: holds the model's parameters.
        loss_fn: (predictions, targets) -> a 0-d loss.
        inputs, targets: one batch.

    Returns:
        the loss before the step, a Python float.

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

    Source: Graves (2013), "Generating Sequences With Recurrent Neural Networks".
    """
    raise NotImplementedError
