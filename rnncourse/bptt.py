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
    """The backward pass of one step, h = tanh(W_ih x + b_ih + W_hh h_prev + b_hh).

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

    Example:
        >>> import torch
        >>> grad_h, x, h_prev, h, w_ih, w_hh = torch.tensor([1, 2, -1, 0.5, 4, 3]).reshape(6, 1, 1)
        >>> grads = rnn_cell_backward(grad_h, x, h_prev, h, w_ih, w_hh)
        >>> [grad.item() for grad in grads]  # 1 - 0.5² is 0.75
        [3.0, 2.25, 1.5, -0.75, 0.75, 0.75]

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
    """The backward pass of a whole layer, from the last step to the first.

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

    Example:
        >>> import torch
        >>> zeros, one = torch.zeros(3, 1, 1), torch.ones(1, 1)
        >>> grad_output = torch.tensor([0.0, 0.0, 1.0]).reshape(3, 1, 1)
        >>> grads = rnn_layer_backward(grad_output, zeros, zeros[0], zeros, one, 0.5 * one)
        >>> grads[0].flatten().tolist()  # the gradient fades on its way to the first step
        [0.25, 0.5, 1.0]

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

    Example:
        >>> import torch
        >>> w = torch.tensor(2.0, requires_grad=True)
        >>> def step(chunk, state):
        ...     return w * state + chunk, w * state + chunk
        >>> losses, state = truncated_bptt(step, [1, 1, 1], torch.tensor(0.0))
        >>> losses, w.grad.item()  # 6.0 if the gradient did not stop
        ([1.0, 3.0, 7.0], 4.0)

    Source: Williams and Peng (1990); Sutskever (2013), section 2.8.6.
    """
    raise NotImplementedError
