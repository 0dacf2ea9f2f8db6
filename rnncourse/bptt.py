"""Exercises: backpropagation through time (Werbos, 1990), by hand and truncated.

Shapes: T length, N batch, I input size, H hidden size. The network is `rnn_layer`'s:
h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh). "grad_y" is the gradient of the loss by y. The
first two functions compute gradients themselves and are called where torch records none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from torch import Tensor
from torch.optim import Optimizer

from ._exercise import exercise


@exercise
def rnn_cell_backward(
    grad_h: Annotated[Tensor, "N H"],
    x: Annotated[Tensor, "N I"],
    h_prev: Annotated[Tensor, "N H"],
    h: Annotated[Tensor, "N H"],
    w_ih: Annotated[Tensor, "H I"],
    w_hh: Annotated[Tensor, "H H"],
) -> tuple[
    Annotated[Tensor, "N I", "grad_x"],
    Annotated[Tensor, "N H", "grad_h_prev"],
    Annotated[Tensor, "H I", "grad_w_ih"],
    Annotated[Tensor, "H H", "grad_w_hh"],
    Annotated[Tensor, "H", "grad_b_ih"],
    Annotated[Tensor, "H", "grad_b_hh"],
]:
    """The way back through one step h = tanh(W_ih x + b_ih + W_hh h_prev + b_hh).

    The derivative of tanh is 1 - tanh², so with h at hand the sum inside it is not needed.

    Args:
        grad_h: gradient of the loss by h.
        x: input of the step.
        h_prev: state before it.
        h: state after it.
        w_ih, w_hh: the weights.

    Returns:
        grad_x, grad_h_prev, grad_w_ih, grad_w_hh, grad_b_ih, grad_b_hh: one gradient for each input
            of the step, and for the biases; those of weights and biases are sums over the batch.

    Source: Werbos (1990), "Backpropagation through time: what it does and how to do it".
    """
    raise NotImplementedError


@exercise
def rnn_layer_backward(
    grad_output: Annotated[Tensor, "T N H"],
    x: Annotated[Tensor, "T N I"],
    h0: Annotated[Tensor, "N H"],
    output: Annotated[Tensor, "T N H"],
    w_ih: Annotated[Tensor, "H I"],
    w_hh: Annotated[Tensor, "H H"],
) -> tuple[
    Annotated[Tensor, "T N I", "grad_x"],
    Annotated[Tensor, "N H", "grad_h0"],
    Annotated[Tensor, "H I", "grad_w_ih"],
    Annotated[Tensor, "H H", "grad_w_hh"],
    Annotated[Tensor, "H", "grad_b_ih"],
    Annotated[Tensor, "H", "grad_b_hh"],
]:
    """The way back through a whole layer, from the last step to the first.

    What reaches a state comes from two sides: from the output at its own step, and from the step
    after it. Weights are used at every step, so their gradients add up over all steps.

    Args:
        grad_output: gradient of the loss by the output at each step. What reaches h_n is
            already in it, at T - 1.
        x: the sequence.
        h0: state before the first step.
        output: the state after every step.
        w_ih, w_hh: the weights.

    Returns:
        grad_x, grad_h0, grad_w_ih, grad_w_hh, grad_b_ih, grad_b_hh: one gradient for each input of
            the layer, and for the biases.

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
