"""Exercises: the gated recurrent unit, GRU (Cho et al., 2014), in torch's form and in the paper's.

Shapes: T length, N batch, I input size, H hidden size. Packed weights are torch's: the rows of
w_ih, w_hh, b_ih and b_hh are three blocks of H rows, for r, z, n in this order (reset gate, update
gate, candidate). Every function keeps the dtype and device of its inputs, leaves them unchanged,
and lets gradients flow to all of them.
"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from ._exercise import exercise


@exercise
def gru_cell(
    x: Annotated[Tensor, "N I"],
    h: Annotated[Tensor, "N H"],
    w_ih: Annotated[Tensor, "3H I"],
    w_hh: Annotated[Tensor, "3H H"],
    b_ih: Annotated[Tensor, "3H"],
    b_hh: Annotated[Tensor, "3H"],
) -> Annotated[Tensor, "N H", "h'"]:
    """One step of a GRU on a batch, as torch computes it.

        r, z = sigmoid of  W_i. x + b_i. + W_h. h + b_h.
        n = tanh(W_in x + b_in + r * (W_hn h + b_hn))
        h' = (1 - z) * n + z * h

    Args:
        x: input at this step.
        h: hidden state before it.
        w_ih, w_hh: weights with the blocks r, z, n.
        b_ih, b_hh: biases with the same blocks. They cannot be added up: r stands between b_in and
            b_hn.

    Returns:
        h': the state after the step.

    Example:
        >>> import torch
        >>> x, h, no_weights = torch.ones(1, 1), torch.full((1, 1), 2.0), torch.zeros(3, 1)
        >>> for b_z in (-100.0, 0.0, 100.0):  # z is 0, 1/2, 1
        ...     b_ih = torch.tensor([0.0, b_z, 0.0])
        ...     print(round(gru_cell(x, h, no_weights, no_weights, b_ih, torch.zeros(3)).item(), 3))
        0.0
        1.0
        2.0

    Source: the formulas on the page of torch.nn.GRUCell.
    """
    raise NotImplementedError


@exercise
def gru_cell_reset_before(
    x: Annotated[Tensor, "N I"],
    h: Annotated[Tensor, "N H"],
    w_ih: Annotated[Tensor, "3H I"],
    w_hh: Annotated[Tensor, "3H H"],
    b_ih: Annotated[Tensor, "3H"],
    b_hh: Annotated[Tensor, "3H"],
) -> Annotated[Tensor, "N H", "h'"]:
    """One step of the GRU of the paper: the reset gate acts on h before the matrix does.

        n = tanh(W_in x + b_in + W_hn (r * h) + b_hn)

    r, z and h' are as in `gru_cell`.

    Args:
        x, h: as in `gru_cell`.
        w_ih, w_hh, b_ih, b_hh: as in `gru_cell`.

    Returns:
        h': the state after the step.

    Example:
        >>> import torch
        >>> from rnncourse.gru import gru_cell
        >>> x, h, no_weights = torch.ones(1, 1), torch.zeros(1, 1), torch.zeros(3, 1)
        >>> b_ih, b_hh = torch.tensor([-100.0, -100.0, 0.0]), torch.tensor([0.0, 0.0, 1.0])
        >>> for cell in (gru_cell, gru_cell_reset_before):  # with r = 0, torch's loses b_hn
        ...     print(round(cell(x, h, no_weights, no_weights, b_ih, b_hh).item(), 3))
        0.0
        0.762

    Source: Cho et al. (2014), "Learning Phrase Representations using RNN Encoder-Decoder", equation
        8. Chung et al. (2014) turn the roles of z and 1 - z round.
    """
    raise NotImplementedError


@exercise
def gru_layer(
    x: Annotated[Tensor, "T N I"],
    h0: Annotated[Tensor, "N H"],
    w_ih: Annotated[Tensor, "3H I"],
    w_hh: Annotated[Tensor, "3H H"],
    b_ih: Annotated[Tensor, "3H"],
    b_hh: Annotated[Tensor, "3H"],
) -> tuple[Annotated[Tensor, "T N H", "output"], Annotated[Tensor, "N H", "h_n"]]:
    """One GRU layer in one direction: `gru_cell` at every step, with the same weights.

    Args:
        x: the whole sequence.
        h0: state before the first step; there is no axis for layers.
        w_ih, w_hh, b_ih, b_hh: as in `gru_cell`.

    Returns:
        output, h_n: the state after every step, and after the last one.

    Example:
        >>> import torch
        >>> weights = torch.ones(12, 3), torch.ones(12, 4), torch.ones(12), torch.ones(12)
        >>> output, h_n = gru_layer(torch.ones(7, 5, 3), torch.zeros(5, 4), *weights)
        >>> output.shape, torch.equal(output[-1], h_n)
        (torch.Size([7, 5, 4]), True)

    Source: torch.nn.GRU with one layer.
    """
    raise NotImplementedError
