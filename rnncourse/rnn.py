"""Exercises: the simple recurrent network (Elman, 1990) as torch.nn.RNN computes it.

Shapes: T length, N batch, I input size, H hidden size. Every function keeps the dtype and device
of its inputs, leaves them unchanged, and lets gradients flow to all of them.
"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from ._exercise import exercise

Layer = tuple[Tensor, Tensor, Tensor, Tensor]


@exercise
def rnn_cell(
    x: Annotated[Tensor, "N I"],
    h: Annotated[Tensor, "N H"],
    w_ih: Annotated[Tensor, "H I"],
    w_hh: Annotated[Tensor, "H H"],
    b_ih: Annotated[Tensor, "H"],
    b_hh: Annotated[Tensor, "H"],
) -> Annotated[Tensor, "N H", "h'"]:
    """One step of a recurrent network on a batch.

        h' = tanh(W_ih x + b_ih + W_hh h + b_hh)

    Args:
        x: input at this step.
        h: hidden state before it.
        w_ih, w_hh: the weights of input and state.
        b_ih, b_hh: torch has two biases and adds both.

    Returns:
        h': the state after the step.

    Source: the formula on the page of torch.nn.RNNCell.
    """
    raise NotImplementedError


@exercise
def rnn_layer(
    x: Annotated[Tensor, "T N I"],
    h0: Annotated[Tensor, "N H"],
    w_ih: Annotated[Tensor, "H I"],
    w_hh: Annotated[Tensor, "H H"],
    b_ih: Annotated[Tensor, "H"],
    b_hh: Annotated[Tensor, "H"],
) -> tuple[Annotated[Tensor, "T N H", "output"], Annotated[Tensor, "N H", "h_n"]]:
    """One layer in one direction: `rnn_cell` at every step, with the same weights.

    Args:
        x: the whole sequence.
        h0: state before the first step; there is no axis for layers.
        w_ih, w_hh, b_ih, b_hh: as in `rnn_cell`.

    Returns:
        output, h_n: the state after every step, and after the last one.

    Source: torch.nn.RNN with one layer.
    """
    raise NotImplementedError


@exercise
def stacked_rnn(
    x: Annotated[Tensor, "T N I"], h0: list[Tensor], layers: list[Layer]
) -> tuple[Tensor, list[Tensor]]:
    """Layers on top of each other: each reads the whole output of the one below.

    Args:
        x: the sequence that the lowest layer reads.
        h0: the state of each layer before the first step, (N, H_l). Layers may differ in width.
        layers: w_ih, w_hh, b_ih, b_hh of each layer, from the lowest up: (H_l, width below),
            (H_l, H_l), (H_l,), (H_l,).

    Returns:
        output, h_n: what the top layer gives at every step (T, N, H_top), and a list with each
        layer's state after the last step, (N, H_l).

    Source: torch.nn.RNN with num_layers, where all layers have one width.
    """
    raise NotImplementedError
