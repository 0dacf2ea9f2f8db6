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

    Example:
        >>> import torch
        >>> x, h, b = torch.tensor([[1.0]]), torch.tensor([[2.0]]), torch.zeros(1)
        >>> after = rnn_cell(x, h, torch.tensor([[3.0]]), torch.tensor([[-1.0]]), b, b)
        >>> round(after.item(), 3)  # tanh(3 * 1 - 1 * 2)
        0.762

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
    """One recurrent layer in one direction: `rnn_cell` at every step, with the same weights.

    Args:
        x: the whole sequence.
        h0: state before the first step; there is no axis for layers.
        w_ih, w_hh, b_ih, b_hh: as in `rnn_cell`.

    Returns:
        output, h_n: the state after every step, and after the last one.

    Example:
        >>> import torch
        >>> x, b = torch.tensor([1.0, 0.0, 0.0]).reshape(3, 1, 1), torch.zeros(1)
        >>> weights = torch.tensor([[1.0]]), torch.tensor([[0.5]]), b, b
        >>> output, h_n = rnn_layer(x, torch.zeros(1, 1), *weights)
        >>> [round(h, 2) for h in output.flatten().tolist()]  # what was read fades
        [0.76, 0.36, 0.18]

    Source: torch.nn.RNN with one layer.
    """
    raise NotImplementedError


@exercise
def stacked_rnn(
    x: Annotated[Tensor, "T N I"], h0: list[Tensor], layers: list[Layer]
) -> tuple[Tensor, list[Tensor]]:
    """Recurrent layers on top of each other: each reads the whole output of the one below.

    Args:
        x: the sequence that the lowest layer reads.
        h0: the state of each layer before the first step, (N, H_l). Layers may differ in width.
        layers: w_ih, w_hh, b_ih, b_hh of each layer, from the lowest up: (H_l, width below),
            (H_l, H_l), (H_l,), (H_l,).

    Returns:
        output, h_n: what the top layer gives at every step (T, N, H_top), and a list with each
        layer's state after the last step, (N, H_l).

    Example:
        >>> import torch
        >>> widths = ((3, 8), (8, 4))
        >>> layers = [[torch.ones(s) for s in ((H, I), (H, H), H, H)] for I, H in widths]
        >>> h0 = [torch.zeros(5, 8), torch.zeros(5, 4)]
        >>> output, h_n = stacked_rnn(torch.ones(7, 5, 3), h0, layers)
        >>> output.shape, [h.shape for h in h_n]
        (torch.Size([7, 5, 4]), [torch.Size([5, 8]), torch.Size([5, 4])])

    Source: torch.nn.RNN with num_layers, where all layers have one width.
    """
    raise NotImplementedError
