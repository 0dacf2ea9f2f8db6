"""Exercises: the simple recurrent network (Elman, 1990) as torch.nn.RNN computes it.

Shapes: T length, N batch, I input size, H hidden size. Every function keeps the dtype and device
of its inputs, leaves them unchanged, and lets gradients flow to all of them.
"""

from __future__ import annotations

from torch import Tensor

from ._exercise import exercise

Layer = tuple[Tensor, Tensor, Tensor, Tensor]


@exercise
def rnn_cell(
    x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> Tensor:
    """One step of a recurrent network on a batch.

        h' = tanh(W_ih x + b_ih + W_hh h + b_hh)

    Args:
        x: input at this step, (N, I).
        h: hidden state before it, (N, H).
        w_ih: (H, I).
        w_hh: (H, H).
        b_ih, b_hh: (H,). Torch has two biases and adds both.

    Returns:
        h': the state after the step, (N, H).

    Source: the formula on the page of torch.nn.RNNCell.
    """
    raise NotImplementedError


@exercise
def rnn_layer(
    x: Tensor, h0: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor
) -> tuple[Tensor, Tensor]:
    """One layer in one direction: `rnn_cell` at every step, with the same weights.

    Args:
        x: the whole sequence, (T, N, I).
        h0: state before the first step, (N, H); there is no axis for layers.
        w_ih, w_hh, b_ih, b_hh: as in `rnn_cell`.

    Returns:
        output, h_n: the state after every step (T, N, H), and after the last one (N, H).

    Source: torch.nn.RNN with one layer.
    """
    raise NotImplementedError


@exercise
def stacked_rnn(x: Tensor, h0: list[Tensor], layers: list[Layer]) -> tuple[Tensor, list[Tensor]]:
    """Layers on top of each other: each reads the whole output of the one below.

    Args:
        x: the sequence that the lowest layer reads, (T, N, I).
        h0: the state of each layer before the first step, (N, H_l). Layers may differ in width.
        layers: w_ih, w_hh, b_ih, b_hh of each layer, from the lowest up: (H_l, width below),
            (H_l, H_l), (H_l,), (H_l,).

    Returns:
        output, h_n: what the top layer gives at every step (T, N, H_top), and a list with each
        layer's state after the last step, (N, H_l).

    Source: torch.nn.RNN with num_layers, where all layers have one width.
    """
    raise NotImplementedError
