"""Exercises: backpropagation through time (Werbos, 1990), by hand and truncated.

Shapes: T length, N batch, I input size, H hidden size. The network is `rnn_layer`'s:
h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh). "grad_y" is the gradient of the loss by y. The
first two functions compute gradients themselves and are called where torch records none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from ._exercise import exercise


@exercise
def rnn_cell_backward(
    grad_h: Tensor, x: Tensor, h_prev: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The way back through one step h = tanh(W_ih x + b_ih + W_hh h_prev + b_hh).

    The derivative of tanh is 1 - tanh², so with h at hand the sum inside it is not needed.

    Args:
        grad_h: gradient of the loss by h, (N, H).
        x: input of the step, (N, I).
        h_prev: state before it, (N, H).
        h: state after it, (N, H).
        w_ih, w_hh: (H, I) and (H, H).

    Returns:
        the gradients of x (N, I), h_prev (N, H), w_ih (H, I), w_hh (H, H), b_ih (H,), b_hh (H,).
        Those of weights and biases are sums over the batch.

    Source: Werbos (1990), "Backpropagation through time: what it does and how to do it".
    """
    raise NotImplementedError


@exercise
def rnn_layer_backward(
    grad_output: Tensor, x: Tensor, h0: Tensor, output: Tensor, w_ih: Tensor, w_hh: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The way back through a whole layer, from the last step to the first.

    What reaches a state comes from two sides: from the output at its own step, and from the step
    after it. Weights are used at every step, so their gradients add up over all steps.

    Args:
        grad_output: gradient of the loss by the output at each step, (T, N, H). What reaches h_n is
            already in it, at T - 1.
        x: the sequence, (T, N, I).
        h0: state before the first step, (N, H).
        output: the state after every step, (T, N, H).
        w_ih, w_hh: (H, I) and (H, H).

    Returns:
        the gradients of x (T, N, I), h0 (N, H), w_ih (H, I), w_hh (H, H), b_ih (H,), b_hh (H,).

    Source: Werbos (1990).
    """
    raise NotImplementedError


@exercise
def truncated_bptt(
    step: Callable[[Any, Any], tuple[Tensor, Any]],
    chunks: Iterable[Any],
    state: Any,
    optimizer: Optimizer | None = None,
) -> tuple[list[float], Any]:
    """Train on a long sequence chunk by chunk: the state goes on, the gradient stops.

    For each chunk: detach the state from what came before, zero the gradients if there is an
    optimizer, run `step`, go backward, and let the optimizer step. Without an optimizer gradients
    add up in the parameters over all chunks.

    Args:
        step: (chunk, state) -> (loss, state): runs the network over one chunk.
        chunks: the pieces of the sequence, in order.
        state: before the first chunk: a tensor, or a tuple of tensors.
        optimizer: holds the parameters that `step` uses.

    Returns:
        losses, state: the loss of each chunk as a Python float, and the state after the last chunk,
        detached.

    Source: Williams and Peng (1990); Sutskever (2013), section 2.8.6.
    """
    raise NotImplementedError
